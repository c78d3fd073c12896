// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An artifact's content as plain data: what the compiler's schedule fills in, the writer stores,
// the reader returns verified, and the runtime executes. The names are those of tenon.fbs.
//
// A program is a list of instructions over 64-bit registers and over slots (regions of memory). It
// knows no operator of ONNX: everything a model computes is in its kernels. Two lists:
//   prologue  sizes that follow from the shapes of the inputs alone. Only Constant, ReadDimension,
//             Arithmetic, SetShape and Check. Runs once per combination of input shapes; the
//             runtime keeps the registers and the memory plan it led to.
//   body      runs for each call, with the registers as the prologue left them. All other registers
//             are zero at its start.
// A model with static shapes has only Constants in its prologue and its temporaries carry offsets.
//
// Control flow is structured, so that the verifier can see that memory is not used after its life:
// Branch and Jump go forward and never into a loop; only Repeat goes back, to the Loop it closes.
// A temporary's interval [first, last] either contains a loop, lies within it, or is apart from it.

#ifndef TENON_LIB_ARTIFACT_PROGRAM_H
#define TENON_LIB_ARTIFACT_PROGRAM_H

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace tenon::artifact {

/// An optional index that is absent.
inline constexpr uint32_t none = 0xffffffff;

/// Every slot's memory, every weight and every constant starts at a multiple of this.
inline constexpr uint64_t dataAlignment = 64;

/// Element types, with the numbers of ONNX's TensorProto.DataType.
enum class ElementType : uint8_t {
  Undefined = 0,
  Float32 = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Float64 = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  UInt2 = 25,
  Int2 = 26,
  Float6E2M3 = 27,
  Float6E3M2 = 28,
};

/// ONNX's name in lower case ("float", "int64", ...), or "undefined".
const char *elementTypeName(ElementType type);

/// Bits of one element in memory; 0 for strings and undefined types. Elements below a byte are
/// packed without gaps, the first in the low bits.
unsigned elementBits(ElementType type);

/// Bytes of `count` elements, rounded up to whole bytes. False on overflow or when the type has no
/// size.
bool elementBytes(ElementType type, int64_t count, int64_t &bytes);

/// A 128-bit XXH3 hash: finds damage, does not withstand an attacker.
struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Hash128 &) const = default;
};

// --- What the model takes and gives --------------------------------------------------------------

/// A named dynamic dimension, such as `batch`, and the sizes it may have.
struct Dimension {
  std::string name;
  int64_t min = 0;
  int64_t max = std::numeric_limits<int64_t>::max();
  int64_t multiple = 1;
};

/// One axis of an input's or output's shape.
struct Axis {
  enum class Kind : uint8_t { Static, Dimension, Unnamed };
  Kind kind = Kind::Static;
  int64_t value = 0; ///< Static: the size. Dimension: index of Module::dimensions. Unnamed: 0.

  static Axis fixed(int64_t size) { return {Kind::Static, size}; }
  static Axis dimension(uint32_t index) { return {Kind::Dimension, index}; }
  static Axis unnamed() { return {Kind::Unnamed, 0}; }
};

enum class Container : uint8_t { Sequence, Optional, Map };

/// One input or output. A plain tensor unless `containers` (outermost first) says otherwise.
struct Value {
  std::string name;
  ElementType element = ElementType::Undefined; ///< of the tensor inside; of a map its values
  std::vector<Axis> axes;
  std::vector<Container> containers;        ///< a map is the last
  ElementType key = ElementType::Undefined; ///< of a map
  bool ranked = true;                       ///< false: a tensor of any shape; axes is empty
  /// Outputs only: the program gives the same answer when this output lies exactly where that input
  /// lies (present over past). The caller decides by passing the same pointer.
  uint32_t inPlaceInput = none;

  /// A tensor with as many axes as `axes`; of strings, too.
  bool hasShape() const { return containers.empty() && ranked; }
  /// What lies in a slot as an object, not as memory.
  bool isObject() const { return !hasShape() || element == ElementType::String; }
};

/// A tensor that host functions get: a constant of strings, an attribute of a node.
struct ConstantTensor {
  ElementType element = ElementType::Undefined;
  std::vector<int64_t> axes;
  std::vector<uint8_t> data;        ///< of numbers
  std::vector<std::string> strings; ///< of element type String
};

// --- Weights -------------------------------------------------------------------------------------

/// A region of the weight section. The writer assigns offsets when the weight is added.
struct Weight {
  std::string name;
  uint64_t offset = 0;
  uint64_t size = 0;
  Hash128 source;     ///< of the bytes in the model, before packing
  std::string recipe; ///< how they were packed; empty: as they are
};

// --- A program -----------------------------------------------------------------------------------

struct Device {
  std::string family; ///< "cpu", ...
};

/// An image that a device loads, with what that device must be.
struct KernelModule {
  uint32_t device = 0;
  uint32_t section = none; ///< of Module::sections; set by the writer
  std::string triple;      ///< "x86_64-unknown-linux-gnu"
  std::string cpu;         ///< for people: "sapphirerapids"
  std::string features;    ///< required: "+avx2,+fma", names as LLVM spells them
};

/// A function `void kernel(void *const *buffers, const int64_t *sizes, int64_t group)` of a module.
struct Kernel {
  std::string name;
  uint32_t module = 0;
  uint64_t entry = 0; ///< offset of its first instruction from the image's base address
  uint32_t bufferCount = 0;
  uint32_t sizeCount = 0;
  std::vector<std::string> nodes; ///< the ONNX nodes it computes
  double flops = 0;               ///< of one call; 0: unknown, or it depends on sizes
};

// Slots. Each names a region of memory on one device, or an object: a place for a counted reference
// to an immutable value of the host (lib/runtime/Value.h). Slots of inputs and outputs are objects
// where the signature's value is one.

struct InputSlot {
  uint32_t input = 0;
};
/// Has memory once the output's shape is known: always when it is static, otherwise after SetShape.
struct OutputSlot {
  uint32_t output = 0;
};
/// Read only.
struct WeightSlot {
  uint32_t weight = 0;
};
/// Read only; a region of the constants section. The writer gives the offset.
struct ConstantSlot {
  uint64_t offset = 0;
  uint64_t size = 0;
};
/// Scratch memory of the arena. Either every temporary of a program has an offset or none has.
struct TemporarySlot {
  int64_t size = 0;             ///< bytes, when sizeRegister is none
  uint32_t sizeRegister = none; ///< set by the prologue
  int64_t offset = -1;          ///< in the device's arena, multiple of 64; -1: the runtime plans it
  uint32_t first = 0;           ///< first instruction of the body that uses it
  uint32_t last = 0;            ///< last instruction of the body that uses it
};
/// Memory whose size depends on data: has memory after Allocate, until the end of the run.
struct AllocatedSlot {};
/// Part of an earlier slot, from a byte offset on. A view of a read-only slot is read only.
struct ViewSlot {
  uint32_t base = 0;
  int64_t offset = 0; ///< bytes, when offsetRegister is none
  uint32_t offsetRegister = none;
};

/// An object. Holds nothing when the body starts.
struct ObjectSlot {};
/// An object that is always there, read only.
struct ObjectConstantSlot {
  uint32_t constant = 0; ///< of Module::constants
};
/// The elements of the tensor of numbers that an earlier slot, an object, holds when they are read.
/// Read only.
struct ContentSlot {
  uint32_t object = 0;
};

using SlotStorage =
    std::variant<InputSlot, OutputSlot, WeightSlot, ConstantSlot, TemporarySlot, AllocatedSlot,
                 ViewSlot, ObjectSlot, ObjectConstantSlot, ContentSlot>;

struct Slot {
  SlotStorage storage;
  uint32_t device = 0;
};

// Instructions. Members of type uint32_t are registers unless said otherwise.

struct Constant {
  uint32_t result = none;
  int64_t value = 0;
};
/// result = size of axis `axis` (a number) of input `input` (a number).
struct ReadDimension {
  uint32_t result = none;
  uint32_t input = 0;
  uint32_t axis = 0;
};
/// Comparisons give 0 or 1. What overflows is the largest number, or the smallest, so that a size
/// that is too large is never taken for another. Division and modulo round towards negative
/// infinity (CeilDivide: positive) and by zero are an error of the run. And, Or: of truth values.
enum class ArithmeticKind : uint8_t {
  Add,
  Subtract,
  Multiply,
  FloorDivide,
  CeilDivide,
  FloorModulo,
  Minimum,
  Maximum,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  And,
  Or,
  Select, ///< condition != 0 ? lhs : rhs
};
struct Arithmetic {
  ArithmeticKind kind = ArithmeticKind::Add;
  uint32_t result = none;
  uint32_t lhs = none;
  uint32_t rhs = none;
  uint32_t condition = none; ///< of Select only
};
/// result = element number `index` of `slot` (a slot), an integer type or bool, extended to 64 bits
/// as its sign tells.
struct LoadElement {
  uint32_t result = none;
  uint32_t slot = none;
  uint32_t index = none;
  ElementType element = ElementType::Int64;
};
/// Element number `index` of `slot` (a slot) = the low bits of `value`; bool: value != 0.
struct StoreElement {
  uint32_t slot = none;
  uint32_t index = none;
  uint32_t value = none;
  ElementType element = ElementType::Int64;
};
/// Runs a kernel once per group in [0, groups).
struct Launch {
  uint32_t kernel = none;        ///< of Program::kernels
  std::vector<uint32_t> buffers; ///< slots
  std::vector<uint32_t> sizes;   ///< registers
  uint32_t groups = none;
};
/// Copies `bytes` from slot to slot; the regions may be the same, otherwise do not overlap.
struct Copy {
  uint32_t destination = none; ///< slot
  uint32_t source = none;      ///< slot
  uint32_t bytes = none;
};
/// Fills `bytes` with the low `patternSize` (1, 2, 4 or 8) bytes of `pattern`, repeated.
struct Fill {
  uint32_t destination = none; ///< slot
  uint32_t bytes = none;
  uint64_t pattern = 0;
  uint8_t patternSize = 1;
};
/// Gives an AllocatedSlot memory. What it held before is lost, or with `keep` stays at its start,
/// as much as there is room for; memory that is kept grows by half at least, so that appending to
/// it time and again is linear.
struct Allocate {
  uint32_t slot = none;
  uint32_t bytes = none;
  bool keep = false;
};
/// Fixes the shape of an output that has dynamic axes, one register per axis.
struct SetShape {
  uint32_t output = none; ///< of Module::outputs
  std::vector<uint32_t> sizes;
};
/// Ends the run with an error unless condition != 0. "{0}" in the message is the first of `values`.
struct Check {
  uint32_t condition = none;
  std::string message;
  std::vector<uint32_t> values;
};
/// Goes on with the next instruction if condition != 0, else at instruction `otherwise`, which is
/// later. The end of the list (its size) is a valid target of Branch and Jump.
struct Branch {
  uint32_t condition = none;
  uint32_t otherwise = 0;
};
struct Jump {
  uint32_t target = 0; ///< instruction, later than this one
};
/// Starts a loop that ends with the Repeat at instruction `end`. Left by a Branch or Jump beyond
/// it.
struct Loop {
  uint32_t end = 0;
};
struct Repeat {
  uint32_t loop = 0; ///< the instruction index of the Loop
};
/// Calls a function of the host library.
struct HostCall {
  struct Attribute {
    std::string name;
    uint32_t constant = 0; ///< of Module::constants
  };
  std::string function;
  uint32_t version = 1;
  std::vector<Attribute> attributes;
  std::vector<uint32_t> inputs;  ///< slots, objects; none: absent
  std::vector<uint32_t> outputs; ///< slots, objects; none: not wanted
  /// Numbers of inputs whose slots hold nothing afterwards: the function gets the reference itself.
  std::vector<uint32_t> moved;
  std::string node; ///< the ONNX node, for messages
};
/// Puts a copy of a tensor of numbers into an object.
struct Wrap {
  uint32_t destination = none; ///< slot, an object
  uint32_t source = none;      ///< slot
  ElementType element = ElementType::Undefined;
  std::vector<uint32_t> sizes; ///< one per axis
};
/// sizes = those of the tensor that `object` (a slot) holds. An error of the run unless it is a
/// tensor of that element type and of as many axes.
struct Unwrap {
  uint32_t object = none;
  ElementType element = ElementType::Undefined;
  std::vector<uint32_t> sizes;
  std::string node; ///< the ONNX node, for messages
};
/// Puts the value of one object into another, too; with `move` the first then holds nothing.
struct Share {
  uint32_t destination = none; ///< slot
  uint32_t source = none;      ///< slot
  bool move = false;
};
/// Exchanges the memory of two slots of one device, without touching what it holds: both are
/// allocated ones, both are ObjectSlots, or both are temporaries of one size and one interval.
struct Swap {
  uint32_t first = none;  ///< slot
  uint32_t second = none; ///< slot
};
/// Waits until `event` (a number below Program::eventCount) has been signalled.
struct Wait {
  uint32_t event = 0;
};

using Operation = std::variant<Constant, ReadDimension, Arithmetic, LoadElement, StoreElement,
                               Launch, Copy, Fill, Allocate, SetShape, Check, Branch, Jump, Loop,
                               Repeat, HostCall, Wait, Swap, Wrap, Unwrap, Share>;

/// The name of the operation's opcode: "launch", "copy", ...
const char *operationName(const Operation &operation);

/// Commands of one queue run in order; across queues, Wait orders. The list itself is a valid
/// order, so a device without queues runs it as it stands.
struct Instruction {
  Operation operation;
  uint16_t queue = 0;
  uint32_t event = none; ///< signalled when the command is done

  Instruction() = default;
  /*implicit*/ Instruction(Operation operation) : operation(std::move(operation)) {}
};

/// One complete way to run the model. The runtime takes the first whose devices it has.
struct Program {
  std::vector<Device> devices;
  std::vector<KernelModule> modules;
  std::vector<Kernel> kernels;
  std::vector<Slot> slots;
  uint32_t registerCount = 0;
  uint32_t eventCount = 0;
  std::vector<Instruction> prologue;
  std::vector<Instruction> body;
  /// Bytes of each device's arena when the temporaries carry offsets, otherwise empty.
  std::vector<uint64_t> arenaSizes;
};

// --- The file ------------------------------------------------------------------------------------

/// Where a model came from. Everything here is a function of the compiler's inputs.
struct Provenance {
  std::string producer; ///< "tenon 0.1.0"
  std::string options;
  Hash128 modelHash;
  std::string modelName;
};

enum class SectionKind : uint8_t { Kernels, Constants, Weights };

/// A page-aligned region of the file, or of the weight file beside it. Filled in by the writer.
struct Section {
  SectionKind kind = SectionKind::Kernels;
  bool external = false;
  uint64_t offset = 0;
  uint64_t size = 0;
  Hash128 hash; ///< of the bytes; of a weight section: of its chunk hashes
};

struct Module {
  Provenance provenance;
  std::vector<Dimension> dimensions;
  std::vector<Value> inputs;
  std::vector<Value> outputs;
  std::vector<Section> sections;
  std::vector<Weight> weights;
  std::vector<ConstantTensor> constants;
  std::vector<Hash128> weightChunkHashes; ///< of each started MiB of the weight section
  std::string weightFile;                 ///< its name, when the weights are in a file of their own
  std::vector<Program> programs;          ///< alternatives, best first
};

} // namespace tenon::artifact

#endif // TENON_LIB_ARTIFACT_PROGRAM_H
