// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs with objects that break one rule at a time: memory is never taken for an object, nor an
// object for memory, and nothing is named that does not exist.

#include "lib/artifact/Format.h"
#include "lib/artifact/Verifier.h"
#include "test/artifact/TestArtifact.h"

namespace tenon::test {

using namespace artifact;

namespace {

// Slots of the module: 5 is memory to be allocated, 8 an object, 9 a constant one, 10 the content
// of 8, 11 an input and 12 an output that are objects.
constexpr uint32_t memory = 5, object = 8, constant = 9, content = 10, input = 11, output = 12;

class ObjectVerifier : public testing::Test {
protected:
  void SetUp() override {
    Writer writer;
    fillWithEverything(writer);
    module = writer.module();
    module.sections.push_back({SectionKind::Constants, false, 4096, 10, {}});
    module.sections.push_back({SectionKind::Weights, false, 8192, 11, {}});
    module.weightChunkHashes.resize(1);
    Status status = verifyModule(module);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  /// Expects that the module with `operation` at the end of the body is refused.
  void refused(Operation operation, const std::string &text) {
    Module changed = module;
    changed.programs[0].body.push_back(std::move(operation));
    refused(changed, text);
  }
  /// The same with another slot.
  void refusedSlot(SlotStorage storage, const std::string &text) {
    Module changed = module;
    changed.programs[0].slots.push_back({std::move(storage), 0});
    refused(changed, text);
  }
  void refused(const Module &changed, const std::string &text) {
    Status status = verifyModule(changed);
    EXPECT_EQ(status.code(), StatusCode::InvalidArtifact);
    EXPECT_NE(status.message().find(text), std::string::npos)
        << "got: " << status.message() << "\nexpected: " << text;
  }

  Module module;
};

TEST_F(ObjectVerifier, objectsAreNoMemory) {
  const std::string problem = "is an object, not memory";
  for (uint32_t slot : {object, constant, input, output}) {
    refused(Copy{memory, slot, 0}, problem);
    refused(Copy{slot, memory, 0}, problem);
    refused(Launch{0, {slot, memory}, {1}, 2}, problem);
    refused(LoadElement{3, slot, 0, ElementType::Int8}, problem);
    refused(StoreElement{slot, 0, 3, ElementType::Int8}, problem);
    refused(Fill{slot, 0, 0, 1}, problem);
    refused(Allocate{slot, 0, false}, problem);
    refused(Wrap{object, slot, ElementType::Float32, {}}, problem);
    refusedSlot(ViewSlot{slot, 0, none}, "is a view of an object");
  }
  refused(Swap{object, memory}, "exchanges slots that are not alike");
}

TEST_F(ObjectVerifier, memoryIsNoObject) {
  const std::string problem = "is memory, not an object";
  for (uint32_t slot : {0u, 1u, 2u, 3u, 4u, memory, 6u, content}) {
    refused(Share{slot, object, false}, problem);
    refused(Share{object, slot, false}, problem);
    refused(Wrap{slot, memory, ElementType::Float32, {}}, problem);
    refused(Unwrap{slot, ElementType::Float32, {}, ""}, problem);
    refused(HostCall{"f", 1, {}, {slot}, {}, {}, ""}, problem);
    refused(HostCall{"f", 1, {}, {}, {slot}, {}, ""}, problem);
    refusedSlot(ContentSlot{slot}, "is the content of a slot that is no object before it");
  }
}

TEST_F(ObjectVerifier, someAreReadOnly) {
  for (uint32_t slot : {constant, input}) {
    refused(Share{slot, object, false}, "is read only");
    refused(Share{object, slot, true}, "is read only");
    refused(Wrap{slot, memory, ElementType::Float32, {}}, "is read only");
    refused(HostCall{"f", 1, {}, {}, {slot}, {}, ""}, "is read only");
    refused(HostCall{"f", 1, {}, {slot}, {}, {0}, ""}, "is read only");
    refused(Swap{object, slot}, "is read only");
  }
  refused(Swap{object, output}, "exchanges slots that are not alike");
  refused(Copy{content, memory, 0}, "slot 10 is read only");
  refused(Fill{content, 0, 0, 1}, "slot 10 is read only");
}

TEST_F(ObjectVerifier, whatIsNamedExists) {
  refused(Share{object, 99, false}, "slot 99 of 13");
  refused(Share{99, object, false}, "slot 99 of 13");
  refused(Swap{object, 99}, "slot 99 of 13");
  refused(Unwrap{99, ElementType::Float32, {}, ""}, "slot 99 of 13");
  refused(Unwrap{object, ElementType::Float32, {99}, ""}, "register 99 of 4");
  refused(Unwrap{object, ElementType::Undefined, {}, ""}, "an impossible type");
  refused(Wrap{object, memory, ElementType::Float32, {99}}, "register 99 of 4");
  refused(Wrap{object, memory, ElementType::String, {}}, "an impossible type");
  refused(Wrap{object, memory, ElementType::Float32, std::vector<uint32_t>(17)},
          "an impossible type");
  refused(HostCall{"", 1, {}, {}, {}, {}, ""}, "the function has no name");
  refused(HostCall{"f", 1, {}, {99}, {}, {}, ""}, "slot 99 of 13");
  refused(HostCall{"f", 1, {}, {}, {99}, {}, ""}, "slot 99 of 13");
  refused(HostCall{"f", 1, {{"a", 2}}, {}, {}, {}, ""}, "a constant that does not exist");
  refused(HostCall{"f", 1, {}, {object}, {}, {1}, ""}, "moves input 1 of 1");
  refused(HostCall{"f", 1, {}, {none}, {}, {0}, ""}, "slot 4294967295 of 13");
  refusedSlot(ObjectConstantSlot{2}, "is a constant that does not exist");
  refusedSlot(ContentSlot{13}, "is the content of a slot that is no object before it");
  refused(SetShape{3, {0}}, "there is no such output");
}

TEST_F(ObjectVerifier, notInThePrologue) {
  for (const Operation &operation : {Operation(Share{output, object, false}),
                                     Operation(Unwrap{object, ElementType::Int8, {}, ""})}) {
    Module changed = module;
    changed.programs[0].prologue.push_back(operation);
    refused(changed, "is not possible in the prologue");
  }
}

TEST_F(ObjectVerifier, dimensionsOfObjects) {
  Module changed = module;
  changed.programs[0].prologue.push_back(Operation(ReadDimension{1, 1, 0}));
  refused(changed, "reads an axis that does not exist");
}

TEST_F(ObjectVerifier, constants) {
  auto broken = [&](auto change) {
    Module changed = module;
    change(changed.constants);
    refused(changed, "a constant tensor has not the elements that its shape asks for");
  };
  broken([](auto &constants) { constants[0].data.pop_back(); });
  broken([](auto &constants) { constants[0].axes = {-2}; });
  broken([](auto &constants) { constants[0].axes = {INT64_MAX, INT64_MAX}; });
  broken([](auto &constants) { constants[0].axes.resize(17, 1); });
  broken([](auto &constants) { constants[0].element = ElementType::Undefined; });
  broken([](auto &constants) { constants[0].strings.resize(2); });
  broken([](auto &constants) { constants[1].strings.pop_back(); });
  broken([](auto &constants) { constants[1].data.push_back(0); });
}

TEST_F(ObjectVerifier, signature) {
  auto broken = [&](auto change, const std::string &text) {
    Module changed = module;
    change(changed.outputs[2]);
    refused(changed, text);
  };
  broken([](Value &map) { map.axes = {Axis::fixed(1)}; }, "'map' has axes, but no shape");
  broken([](Value &map) { map.key = ElementType::Undefined; }, "'map' has keys of an unknown type");
  broken([](Value &map) { std::swap(map.containers[0], map.containers[1]); },
         "'map' is of an impossible kind");
  broken([](Value &map) { map.containers.assign(100, Container::Sequence); },
         "'map' nests deeper than 15 times");
  broken([](Value &map) { map.inPlaceInput = 1; }, "output 'map' cannot be in place of that input");
}

} // namespace
} // namespace tenon::test
