// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One broken rule at a time.

#include "lib/artifact/Verifier.h"
#include "lib/artifact/Format.h"
#include "test/artifact/TestArtifact.h"

namespace tenon::test {

using namespace artifact;

namespace {

class Verifier : public testing::Test {
protected:
  void SetUp() override {
    Writer writer;
    fillWithEverything(writer);
    module = writer.module();
    module.sections.push_back({SectionKind::Constants, false, 4096, 10, {}});
    module.sections.push_back({SectionKind::Weights, false, 8192, 11, {}});
    module.weightChunkHashes.resize(1);
    program().body.resize(11); // without objects; ObjectVerifierTest.cpp has these
    program().slots.resize(8);
    ASSERT_TRUE(verifyModule(module).ok()) << verifyModule(module).message();
  }
  Program &program() { return module.programs[0]; }
  template <typename T>
  T &body(size_t index) {
    return std::get<T>(program().body[index].operation);
  }
  template <typename T>
  T &slot(size_t index) {
    return std::get<T>(program().slots[index].storage);
  }
  /// Expects that the module is refused with `text` in the message.
  void refused(const std::string &text) {
    Status status = verifyModule(module);
    EXPECT_EQ(status.code(), StatusCode::InvalidArtifact);
    EXPECT_NE(status.message().find(text), std::string::npos)
        << "got: " << status.message() << "\nexpected: " << text;
  }

  Module module;
};

TEST_F(Verifier, dimensions) {
  module.dimensions[1].name = "batch";
  refused("dimension 'batch' has no name or appears twice");
  module.dimensions[1] = {"s", 5, 4, 1};
  refused("impossible bounds");
  module.dimensions[1] = {"s", 0, 4, 0};
  refused("impossible bounds");
}

TEST_F(Verifier, valuesElement) {
  module.inputs[0].element = static_cast<ElementType>(29);
  refused("'x' has an unknown element type");
}
TEST_F(Verifier, valuesAxis) {
  module.inputs[0].axes[0] = Axis::dimension(2);
  refused("'x' has an impossible axis");
}
TEST_F(Verifier, valuesNegative) {
  module.outputs[0].axes[0].value = -1;
  refused("'y' has an impossible axis");
}
TEST_F(Verifier, valuesOverflow) {
  module.outputs[0].axes[0].value = INT64_MAX / 5;
  refused("'y' is too large");
}
TEST_F(Verifier, valuesRank) {
  module.inputs[0].axes.resize(17);
  refused("17 axes, at most 16");
}
TEST_F(Verifier, valuesTwice) {
  module.outputs[1].name = "y";
  refused("'y' appears twice");
}
TEST_F(Verifier, inPlace) {
  module.outputs[1].inPlaceInput = 0;
  refused("output 'z' cannot be in place of that input");
  module.outputs[1].inPlaceInput = 1;
  refused("output 'z' cannot be in place of that input");
}

TEST_F(Verifier, sections) {
  module.sections[1].offset = 100;
  refused("does not start at a page");
  module.sections[1].offset = 4096;
  module.sections[1].external = true;
  refused("only weights may be in another file");
  module.sections[1].external = false;
  module.sections[2].external = true;
  for (const char *name : {"", "../weights", "/etc/passwd"}) {
    module.weightFile = name;
    refused("not a plain file name");
  }
  module.sections[2] = module.sections[1];
  refused("more than one section");
}
TEST_F(Verifier, weights) {
  module.weights[0].offset = 32;
  refused("weight 'w' does not lie in the weight section");
  module.weights[0].offset = UINT64_MAX - 63;
  refused("weight 'w' does not lie in the weight section");
  module.weights[0].offset = 0;
  module.weights[0].size = 12;
  refused("weight 'w' does not lie in the weight section");
  module.weights[0].size = 11;
  module.weightChunkHashes.resize(2);
  refused("has 1 chunks, but there are 2 hashes");
}

TEST_F(Verifier, programs) {
  module.programs.clear();
  refused("there is no program");
}
TEST_F(Verifier, devices) {
  program().devices.clear();
  refused("there must be between 1 and 256 devices");
}
TEST_F(Verifier, registers) {
  program().registerCount = maxRegisters + 1;
  refused("registers, at most");
}
TEST_F(Verifier, kernelModules) {
  program().modules[0].section = 1;
  refused("a section that does not exist");
}
TEST_F(Verifier, kernels) {
  program().kernels[0].module = 1;
  refused("kernel 'matmul' is of a module that does not exist");
}

TEST_F(Verifier, slotIndices) {
  slot<InputSlot>(0).input = 2;
  refused("slot 0: is an input that does not exist");
  slot<InputSlot>(0).input = 0;
  slot<OutputSlot>(1).output = 4;
  refused("slot 1: is an output that does not exist");
  slot<OutputSlot>(1).output = 0;
  slot<WeightSlot>(2).weight = none;
  refused("slot 2: is a weight that does not exist");
  slot<WeightSlot>(2).weight = 0;
  slot<ConstantSlot>(3).size = 11;
  refused("slot 3: does not lie in the constants section");
}
TEST_F(Verifier, slotDevice) {
  program().slots[4].device = 1;
  refused("slot 4: is on a device that does not exist");
}
TEST_F(Verifier, viewOfLater) {
  slot<ViewSlot>(6).base = 6;
  refused("slot 6: is a view of a slot that does not come before it");
}
TEST_F(Verifier, viewRange) {
  slot<ViewSlot>(6).offset = 129;
  refused("slot 6: is a view beyond the end of slot 4");
  slot<ViewSlot>(6).offset = -1;
  refused("slot 6: is a view with a negative offset");
}
TEST_F(Verifier, viewDepth) {
  for (uint32_t i = 0; i < 100; ++i)
    program().slots.push_back({ViewSlot{7 + i, 0, none}, 0});
  refused("too many times");
}
TEST_F(Verifier, temporaryInterval) {
  slot<TemporarySlot>(4).last = 11;
  refused("slot 4: has an impossible interval");
  slot<TemporarySlot>(4).last = 3;
  refused("(store element): slot 4 is used outside its interval [0, 3]");
}
TEST_F(Verifier, temporarySizeFromBody) {
  slot<TemporarySlot>(4).sizeRegister = 3;
  refused("slot 4: has a size that the prologue does not compute");
}
TEST_F(Verifier, temporaryPlaces) {
  slot<TemporarySlot>(4).offset = 32;
  refused("slot 4: its place does not lie in the arena");
  slot<TemporarySlot>(4).offset = 128;
  refused("slot 4: its place does not lie in the arena");
  slot<TemporarySlot>(4).offset = 64;
  program().arenaSizes.clear();
  refused("must be given together");
  program().arenaSizes = {192, 0};
  refused("one arena size for each device");
  program().arenaSizes = {192};
  program().slots.push_back({TemporarySlot{64, none, -1, 0, 0}, 0});
  refused("some temporaries have a place");
}
TEST_F(Verifier, temporariesThatOverlap) {
  program().arenaSizes = {1024};
  program().slots.push_back({TemporarySlot{64, none, 192, 0, 4}, 0});
  EXPECT_TRUE(verifyModule(module).ok()) << "beside it";
  slot<TemporarySlot>(8).offset = 128;
  refused("slots 4 and 8 share memory while both are in use");
  slot<TemporarySlot>(8).first = slot<TemporarySlot>(8).last = 5;
  EXPECT_TRUE(verifyModule(module).ok()) << "after it";
  slot<TemporarySlot>(8) = {256, none, 0, 2, 2};
  refused("slots 4 and 8 share memory while both are in use");
}

TEST_F(Verifier, prologueWithLaunch) {
  program().prologue.push_back(program().body[0]);
  refused("prologue instruction 5 (launch): is not possible in the prologue");
}
TEST_F(Verifier, outputsNeedAShape) {
  module.outputs[0].axes[0] = Axis::unnamed();
  refused("output 'y' has a dynamic shape that no instruction sets");
}
TEST_F(Verifier, launchArguments) {
  body<Launch>(0).buffers.pop_back();
  refused("body instruction 0 (launch): kernel 'matmul' takes 2 buffers and 1 sizes, but gets 1 "
          "and 1");
  body<Launch>(0).kernel = 1;
  refused("kernel 1 of 1");
}
TEST_F(Verifier, launchSlots) {
  body<Launch>(0).buffers[1] = 8;
  refused("slot 8 of 8");
}
TEST_F(Verifier, readOnlySlots) {
  for (uint32_t readOnly : {0u, 2u, 3u}) {
    body<Copy>(1).destination = readOnly;
    refused("body instruction 1 (copy): slot " + std::to_string(readOnly) + " is read only");
  }
}
TEST_F(Verifier, readOnlyViews) {
  program().slots.push_back({ViewSlot{2, 0, none}, 0});
  body<Fill>(2).destination = 8;
  refused("slot 8 is read only");
}
TEST_F(Verifier, operands) {
  body<Copy>(1).bytes = 4;
  refused("(copy): register 4 of 4");
  body<Copy>(1).bytes = 0;
  body<Fill>(2).patternSize = 3;
  refused("a pattern has 1, 2, 4 or 8 bytes");
  body<Fill>(2).patternSize = 0;
  refused("a pattern has 1, 2, 4 or 8 bytes");
  body<Fill>(2).patternSize = 1;
  body<LoadElement>(3).element = ElementType::Float32;
  refused("element type is not an integer");
  body<LoadElement>(3).element = ElementType::Int64;
  body<Allocate>(5).slot = 1;
  refused("slot 1 is not one to be allocated");
  body<Allocate>(5).slot = 5;
  body<Wait>(10).event = 2;
  refused("waits for an event that does not exist");
  body<Wait>(10).event = 1;
  program().body[3].event = 2;
  refused("signals an event that does not exist");
}

TEST_F(Verifier, exchanges) {
  program().slots.push_back({AllocatedSlot{}, 0});
  program().slots.push_back({TemporarySlot{64, none, 0, 0, 4}, 0});
  uint32_t allocated = static_cast<uint32_t>(program().slots.size()) - 2, other = allocated + 1;
  auto &place = program().body[4].operation;
  place = Swap{5, allocated};
  EXPECT_TRUE(verifyModule(module).ok()) << verifyModule(module).message();
  place = Swap{5, 4};
  refused("exchanges slots that are not alike");
  place = Swap{4, other};
  refused("exchanges slots that are not alike");
  slot<TemporarySlot>(4).size = 64;
  EXPECT_TRUE(verifyModule(module).ok()) << verifyModule(module).message();
  slot<TemporarySlot>(other).last = 5;
  refused("exchanges slots that are not alike");
  place = Swap{0, allocated};
  refused("slot 0 is read only");
  place = Swap{5, allocated + 2};
  refused("slot 10 of 10");
}

TEST_F(Verifier, branches) {
  body<Branch>(7).otherwise = 7;
  refused("body instruction 7: goes to instruction 7, which is not after it");
  body<Branch>(7).otherwise = 12;
  refused("goes to instruction 12");
  body<Branch>(7).otherwise = 11;
  EXPECT_TRUE(verifyModule(module).ok()) << "the end is a target";
}
TEST_F(Verifier, loopsAreNotEntered) {
  program().body[4] = Operation(Jump{8});
  refused("body instruction 4: goes into a loop from outside");
  program().body[4] = Operation(Jump{6});
  EXPECT_TRUE(verifyModule(module).ok()) << "its start is outside";
}
TEST_F(Verifier, loopsNest) {
  body<Loop>(6).end = 8;
  refused("(loop): its end is not a repeat after it");
  body<Loop>(6).end = 9;
  body<Repeat>(9).loop = 5;
  refused("(repeat): does not close the innermost loop");
}
TEST_F(Verifier, loopsDepth) {
  std::vector<Instruction> &body = program().body;
  body.clear();
  program().slots.clear();
  program().arenaSizes.clear();
  for (uint32_t i = 0; i < 65; ++i)
    body.push_back(Operation(Loop{129 - i}));
  for (uint32_t i = 0; i < 65; ++i)
    body.push_back(Operation(Repeat{64 - i}));
  refused("lies in more than 64 loops");
}
TEST_F(Verifier, intervalsDoNotCutLoops) {
  TemporarySlot &temporary = slot<TemporarySlot>(4);
  temporary.last = 7;
  refused("slot 4: its interval cuts the loop at instruction 6");
  temporary.last = 9;
  EXPECT_TRUE(verifyModule(module).ok()) << "contains it";
  program().slots.push_back({TemporarySlot{64, none, 0, 8, 10}, 0});
  refused("slot 8: its interval cuts the loop at instruction 6");
  slot<TemporarySlot>(8).first = 7;
  slot<TemporarySlot>(8).last = 8;
  EXPECT_TRUE(verifyModule(module).ok()) << "lies within it";
}

} // namespace
} // namespace tenon::test
