// RUN: tenon-opt %s --split-input-file --verify-diagnostics

//===--- what a signature says --------------------------------------------===//

// expected-error @below {{"plan.name" belongs on an argument or result of a model}}
func.func @misplaced() attributes {plan.name = "f"} {
  return
}

// -----

// expected-error @below {{unknown or ill-formed attribute plan.nam}}
func.func @unknown(%x: tensor<4xf32> {plan.nam = "x"}) {
  return
}

// -----

// expected-error @below {{unknown or ill-formed attribute plan.element}}
func.func @result_attribute(%x: tensor<4xf32>) -> (tensor<4xf32> {plan.element = "f32"}) {
  return %x : tensor<4xf32>
}

// -----

// expected-error @below {{plan.dims holds dimensions, integers and unit, not ["batch"]}}
func.func @dims_entries(%x: tensor<?xf32> {plan.dims = ["batch"]}) {
  return
}

// -----

// expected-error @below {{plan.dims has 1 entries for 'tensor<?x8xf32>'}}
func.func @dims_rank(%x: tensor<?x8xf32> {plan.dims = [unit]}) {
  return
}

// -----

// expected-error @below {{plan.dims has 0 entries for 'f32'}}
func.func @dims_scalar(%x: f32 {plan.dims = []}) {
  return
}

// -----

// expected-error @below {{plan.dims says [4, 7] of 'tensor<4x8xf32>'}}
func.func @dims_size(%x: tensor<4x8xf32> {plan.dims = [4, 7]}) {
  return
}

// -----

// expected-error @below {{plan.dims says [4] of 'tensor<?xf32>'}}
func.func @dims_dynamic(%x: tensor<?xf32> {plan.dims = [4]}) {
  return
}

// -----

// expected-error @below {{unknown or ill-formed attribute plan.packing}}
func.func @packed_model(%x: tensor<8x8xf32> {plan.packing = #plan.packing<inner_dims_pos = [1] inner_tiles = [4]>}) {
  return
}

// -----

// expected-error @below {{unknown or ill-formed attribute "plan.name" of a kernel's argument}}
plan.kernel @named(%x: tensor<4xf32> {plan.name = "x"}) -> tensor<4xf32> {
  plan.yield %x : tensor<4xf32>
}

// -----

// expected-error @below {{result 0 may take the memory of argument 1 : index, which does not exist}}
func.func @in_place(%x: tensor<4xf32>) -> (tensor<4xf32> {plan.in_place = 1 : index}) {
  return %x : tensor<4xf32>
}

// -----

//===--- dimensions -------------------------------------------------------===//

// expected-error @below {{a dimension is not negative, but min is -1}}
plan.dimension @negative min -1

// -----

// expected-error @below {{max 3 is below min 4}}
plan.dimension @empty min 4 max 3

// -----

// expected-error @below {{max -1 is below min 0}}
plan.dimension @negative_max max -1

// -----

// expected-error @below {{multiple must be at least 1, but is -8}}
plan.dimension @negative_multiple multiple -8

// -----

// expected-error @below {{multiple must be at least 1, but is 0}}
plan.dimension @zero multiple 0

// -----

plan.dimension @twice
// expected-error @below {{redefinition of symbol named 'twice'}}
// expected-note @above {{see existing symbol definition here}}
plan.dimension @twice

// -----

plan.weight @n : tensor<4xf32>
func.func @no_dimension(%x: tensor<?xf32> {plan.dims = [@n]}) -> index {
  // expected-error @below {{@n is not a plan.dimension}}
  %n = plan.dim @n : index
  return %n : index
}

// -----

// A dimension that only a result has is known when the result is, not before.
plan.dimension @n
func.func @unbound(%x: tensor<?xf32> {plan.dims = [unit]}) -> (tensor<?xf32> {plan.dims = [@n]}) {
  // expected-error @below {{@n is a dimension of no argument of the function, so nothing binds it}}
  %n = plan.dim @n : index
  return %x : tensor<?xf32>
}

// -----

plan.dimension @n
plan.kernel @dimension_in_kernel(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @below {{cannot be in a kernel}}
  %n = plan.dim @n : index
  %0 = tensor.empty(%n) : tensor<?xf32>
  plan.yield %0 : tensor<?xf32>
}

// -----

//===--- weights ----------------------------------------------------------===//

// expected-error @below {{a weight has a static shape, not 'tensor<?xf32>'}}
plan.weight @dynamic : tensor<?xf32>

// -----

// expected-error @below {{a packed weight has both a source and a packing}}
"plan.weight"() {sym_name = "unpacked", type = tensor<4xf32>, source = @w} : () -> ()

// -----

// expected-error @below {{@w is not a plan.weight}}
plan.weight @orphan : tensor<1x4xf32> from @w <inner_dims_pos = [0] inner_tiles = [4]>

// -----

plan.weight @w : tensor<8x8xf32>
plan.weight @once : tensor<8x2x4xf32> from @w <inner_dims_pos = [1] inner_tiles = [4]>
// expected-error @below {{@once is packed itself}}
plan.weight @twice : tensor<8x2x2x2xf32> from @once <inner_dims_pos = [2] inner_tiles = [2]>

// -----

plan.weight @w : tensor<8x8xf32>
// expected-error @below {{does not fit @w of type 'tensor<8x8xf32>'}}
plan.weight @position : tensor<8x2x4xf32> from @w <inner_dims_pos = [2] inner_tiles = [4]>

// -----

plan.weight @w : tensor<8x8xf32>
// expected-error @below {{does not fit @w of type 'tensor<8x8xf32>'}}
plan.weight @tile : tensor<8x2x4xf32> from @w <inner_dims_pos = [1] inner_tiles = [0]>

// -----

plan.weight @w : tensor<8x8xf32>
// expected-error @below {{does not fit @w of type 'tensor<8x8xf32>'}}
plan.weight @cut_twice : tensor<2x8x2x2xf32> from @w <inner_dims_pos = [0, 0] inner_tiles = [2, 2]>

// -----

plan.weight @w : tensor<8x8xf32>
// expected-error @below {{does not fit @w of type 'tensor<8x8xf32>'}}
plan.weight @tiles : tensor<8x2x4xf32> from @w <inner_dims_pos = [1] inner_tiles = [4, 4]>

// -----

plan.weight @w : tensor<8x8xf32>
// expected-error @below {{does not fit @w of type 'tensor<8x8xf32>'}}
plan.weight @permutation : tensor<2x8x4xf32> from @w <inner_dims_pos = [1] inner_tiles = [4] outer_dims_perm = [1, 1]>

// -----

plan.weight @w : tensor<8x8xf32>
// expected-error @below {{does not fit @w of type 'tensor<8x8xf32>'}}
plan.weight @permutation_size : tensor<2x8x4xf32> from @w <inner_dims_pos = [1] inner_tiles = [4] outer_dims_perm = [0]>

// -----

plan.weight @w : tensor<8x8xf32>
// expected-error @below {{has type 'tensor<2x8x4xf32>', but @w packs to 'tensor<8x2x4xf32>'}}
plan.weight @type : tensor<2x8x4xf32> from @w <inner_dims_pos = [1] inner_tiles = [4]>

// -----

plan.dimension @w
func.func @no_weight() {
  // expected-error @below {{@w is not a plan.weight}}
  %w = plan.get_weight @w : tensor<4xf32>
  return
}

// -----

plan.weight @w : tensor<4xf32>
func.func @weight_type() {
  // expected-error @below {{@w has type 'tensor<4xf32>', not 'tensor<5xf32>'}}
  %w = plan.get_weight @w : tensor<5xf32>
  return
}

// -----

plan.weight @w : tensor<4xf32>
plan.kernel @weight_in_kernel() -> tensor<4xf32> {
  // expected-error @below {{cannot be in a kernel}}
  %w = plan.get_weight @w : tensor<4xf32>
  plan.yield %w : tensor<4xf32>
}

// -----

//===--- kernels ----------------------------------------------------------===//

// expected-error @below {{takes tensors and indices, not 'f32'}}
plan.kernel @scalar(%x: tensor<4xf32>, %s: f32) -> tensor<4xf32> {
  plan.yield %x : tensor<4xf32>
}

// -----

// expected-error @below {{takes tensors and indices, not 'tensor<*xf32>'}}
plan.kernel @unranked(%x: tensor<*xf32>) -> tensor<4xf32> {
  %0 = tensor.cast %x : tensor<*xf32> to tensor<4xf32>
  plan.yield %0 : tensor<4xf32>
}

// -----

// expected-error @below {{takes its tensors before its indices}}
plan.kernel @order(%i: index, %x: tensor<4xf32>) -> tensor<4xf32> {
  plan.yield %x : tensor<4xf32>
}

// -----

// expected-error @below {{gives tensors, and at least one}}
plan.kernel @nothing(%x: tensor<4xf32>) {
  plan.yield
}

// -----

// expected-error @below {{gives tensors, and at least one}}
plan.kernel @index_result(%i: index) -> index {
  plan.yield
}

// -----

// expected-error @below {{has one block}}
plan.kernel @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^end
^end:
  plan.yield %x : tensor<4xf32>
}

// -----

// expected-error @below {{ends in a plan.yield of its result types}}
plan.kernel @yielded_type(%x: tensor<4xf32>) -> tensor<5xf32> {
  plan.yield %x : tensor<4xf32>
}

// -----

// expected-error @below {{ends in a plan.yield of its result types}}
plan.kernel @terminator(%x: tensor<4xf32>) -> tensor<4xf32> {
  ub.unreachable
}

// -----

// expected-error @below {{has a count that is a map from its 2 sizes to one number}}
plan.kernel @count(%x: tensor<?xf32>) -> tensor<?xf32> attributes {count = affine_map<()[n] -> (n)>} {
  plan.yield %x : tensor<?xf32>
}

// -----

// expected-error @below {{argument 0 of type 'tensor<8xf32>' cannot be packed as #plan.packing<inner_dims_pos = [1] inner_tiles = [4]>}}
plan.kernel @packed(%x: tensor<8xf32> {plan.packing = #plan.packing<inner_dims_pos = [1] inner_tiles = [4]>}) -> tensor<8xf32> {
  plan.yield %x : tensor<8xf32>
}

// -----

func.func @yield_outside(%x: tensor<4xf32>) {
  // expected-error @below {{expects parent op 'plan.kernel'}}
  plan.yield %x : tensor<4xf32>
}

// -----

//===--- dispatches -------------------------------------------------------===//

plan.weight @k : tensor<4xf32>
func.func @no_kernel(%x: tensor<4xf32>) {
  // expected-error @below {{@k is not a plan.kernel}}
  %0 = plan.dispatch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

plan.kernel @k(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  plan.yield %x : tensor<4xf32>
}
func.func @arguments(%x: tensor<4xf32>) {
  // expected-error @below {{does not fit @k of type '(tensor<4xf32>, index) -> tensor<4xf32>'}}
  %0 = plan.dispatch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

plan.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> {
  plan.yield %x : tensor<4xf32>
}
func.func @results(%x: tensor<4xf32>) {
  // expected-error @below {{does not fit @k of type '(tensor<4xf32>) -> tensor<4xf32>'}}
  %0:2 = plan.dispatch @k(%x) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

plan.kernel @k(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  plan.yield %x : tensor<?x?xf32>
}
func.func @result_dims(%x: tensor<?x?xf32>, %n: index) {
  // expected-error @below {{has 2 dynamic result dimensions but gives 1}}
  %0 = plan.dispatch @k(%x) dims(%n) : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return
}

// -----

plan.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> {
  plan.yield %x : tensor<4xf32>
}
plan.kernel @outer(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{cannot be in a kernel}}
  %0 = plan.dispatch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  plan.yield %0 : tensor<4xf32>
}

// -----

plan.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> {
  plan.yield %x : tensor<4xf32>
}
func.func @no_device(%x: tensor<4xf32>) {
  // expected-error @below {{@nowhere is not a plan.device}}
  %0 = plan.dispatch @k(%x) on @nowhere : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

plan.device @here "cpu:x86-64-v3"
plan.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {target = "cpu:aarch64"} {
  plan.yield %x : tensor<4xf32>
}
func.func @other_target(%x: tensor<4xf32>) {
  // expected-error @below {{@k is for cpu:aarch64, but @here is cpu:x86-64-v3}}
  %0 = plan.dispatch @k(%x) on @here : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @transfer(%x: tensor<4xf32>) {
  // expected-error @below {{@nowhere is not a plan.device}}
  %0 = plan.transfer %x to @nowhere : tensor<4xf32>
  return
}

// -----

plan.device @here "cpu"
plan.kernel @transfer_in_kernel(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{cannot be in a kernel}}
  %0 = plan.transfer %x to @here : tensor<4xf32>
  plan.yield %0 : tensor<4xf32>
}

// -----

//===--- reshapes ---------------------------------------------------------===//

func.func @reshape_element(%x: tensor<4xf32>) {
  // expected-error @below {{keeps the element type, but goes from 'tensor<4xf32>' to 'tensor<4xi32>'}}
  %0 = plan.reshape %x : tensor<4xf32> to tensor<4xi32>
  return
}

// -----

func.func @reshape_dims(%x: tensor<?xf32>) {
  // expected-error @below {{has 1 dynamic dimensions but gives 0}}
  %0 = plan.reshape %x : tensor<?xf32> to tensor<2x?xf32>
  return
}

// -----

func.func @reshape_elements(%x: tensor<4xf32>) {
  // expected-error @below {{goes from 4 elements to 6}}
  %0 = plan.reshape %x : tensor<4xf32> to tensor<2x3xf32>
  return
}

// -----

//===--- what control flow hands on ---------------------------------------===//

func.func @sized_dims(%x: tensor<?x?xf32>, %n: index) {
  // expected-error @below {{has 2 dynamic dimensions but gives 1}}
  %0 = plan.sized %x dims(%n) : tensor<?x?xf32>
  return
}

// -----

func.func @append_rank(%row: tensor<4xf32>, %all: tensor<?xf32>) {
  // expected-error @below {{appends a tensor of one dimension less, not 'tensor<4xf32>' to 'tensor<?xf32>'}}
  %0 = plan.append %row to %all : tensor<4xf32> to tensor<?xf32> -> tensor<?xf32>
  return
}

// -----

func.func @append_element(%row: tensor<4xi32>, %all: tensor<?x4xf32>) {
  // expected-error @below {{keeps the element type, but appends 'tensor<4xi32>' to 'tensor<?x4xf32>'}}
  %0 = plan.append %row to %all : tensor<4xi32> to tensor<?x4xf32> -> tensor<?x4xf32>
  return
}

// -----

func.func @append_count(%row: tensor<4xf32>, %all: tensor<?x4xf32>) {
  // expected-error @below {{gives a number of rows that the program counts, not 'tensor<3x4xf32>'}}
  %0 = plan.append %row to %all : tensor<4xf32> to tensor<?x4xf32> -> tensor<3x4xf32>
  return
}

// -----

//===--- packed elements --------------------------------------------------===//

func.func @reinterpret_index(%x: tensor<4xindex>) {
  // expected-error @below {{sees integers and floats, not 'tensor<4xindex>' as 'tensor<32xi8>'}}
  %0 = plan.reinterpret %x : tensor<4xindex> to tensor<32xi8>
  return
}

// -----

func.func @reinterpret_dims(%x: tensor<?xi4>) {
  // expected-error @below {{has 1 dynamic dimensions but gives 0}}
  %0 = plan.reinterpret %x : tensor<?xi4> to tensor<?xi8>
  return
}

// -----

func.func @reinterpret_bytes(%x: tensor<5xi4>) {
  // expected-error @below {{goes from 3 bytes to 2}}
  %0 = plan.reinterpret %x : tensor<5xi4> to tensor<2xi8>
  return
}

// -----

//===--- objects ----------------------------------------------------------===//

func.func @strings_of_numbers() {
  // expected-error @below {{holds strings, not 'i32'}}
  %0 = plan.strings dense<1> : tensor<2xi32>
  return
}

// -----

func.func @host_without_name() {
  // expected-error @below {{calls a function without a name}}
  %0 = plan.host ""() : () -> !plan.object
  return
}

// -----

func.func @host_attribute() {
  // expected-error @below {{has an attribute "axis" that a host function cannot take: 1 : i32}}
  %0 = plan.host "f"() {axis = 1 : i32} : () -> !plan.object
  return
}

// -----

func.func @wrap_element(%x: tensor<4xi8>) {
  // expected-error @below {{has elements of 'f32' in 'tensor<4xi8>'}}
  %0 = plan.wrap %x as f32 : tensor<4xi8>
  return
}

// -----

func.func @unwrap_dims(%x: !plan.object) {
  // expected-error @below {{gives 0 dynamic dimensions of 'tensor<?xf32>'}}
  %0 = plan.unwrap %x as f32 : tensor<?xf32>
  return
}

// -----

func.func @unwrap_element(%x: !plan.object) {
  // expected-error @below {{has elements of 'f64' in 'tensor<2xf32>'}}
  %0 = plan.unwrap %x as f64 : tensor<2xf32>
  return
}

// -----

func.func @object_dim_axis(%x: !plan.object) {
  // expected-error @below {{asks for axis 2 of 2}}
  %0 = plan.object_dim %x as f32 axis 2 of 2
  return
}
