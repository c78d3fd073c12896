# LLVM and MLIR from the distribution, as shared libraries; the precompiled header that all MLIR code of ours shares.

find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
# TableGen takes its include paths from the directory property.
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(${PROJECT_SOURCE_DIR})

add_library(tenon_mlir INTERFACE)
target_include_directories(tenon_mlir SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_link_libraries(tenon_mlir INTERFACE MLIR LLVM)

# One source, so that every library of ours can reuse its precompiled header.
file(WRITE ${PROJECT_BINARY_DIR}/cmake/precompiled.cpp "")
add_library(tenon_pch STATIC ${PROJECT_BINARY_DIR}/cmake/precompiled.cpp)
target_link_libraries(tenon_pch PUBLIC tenon_options tenon_mlir)
target_precompile_headers(tenon_pch PRIVATE
  <mlir/Dialect/Affine/IR/AffineOps.h>
  <mlir/Dialect/Arith/IR/Arith.h>
  <mlir/Dialect/Bufferization/IR/Bufferization.h>
  <mlir/Dialect/Func/IR/FuncOps.h>
  <mlir/Dialect/Linalg/IR/Linalg.h>
  <mlir/Dialect/Math/IR/Math.h>
  <mlir/Dialect/MemRef/IR/MemRef.h>
  <mlir/Dialect/SCF/IR/SCF.h>
  <mlir/Dialect/Tensor/IR/Tensor.h>
  <mlir/Dialect/Vector/IR/VectorOps.h>
  <mlir/IR/Builders.h>
  <mlir/IR/BuiltinOps.h>
  <mlir/IR/PatternMatch.h>
  <mlir/Pass/Pass.h>
  <mlir/Transforms/DialectConversion.h>
  <mlir/Transforms/GreedyPatternRewriteDriver.h>)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # A precompiled header without time stamps, so that ccache can answer for it.
  target_compile_options(tenon_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>)
endif()

include(TenonDocs)

# tenon_add_dialect(NAME namespace): Name.td in the current folder -> Name{Dialect,Types,Attrs,Ops,Enums}.{h,cpp}.inc
# in the same folder of the build tree, and the page docs/dialects/<namespace>.md.
function(tenon_add_dialect name namespace)
  set(LLVM_TARGET_DEFINITIONS ${name}.td)
  mlir_tablegen(${name}Dialect.h.inc -gen-dialect-decls -dialect=${namespace})
  mlir_tablegen(${name}Dialect.cpp.inc -gen-dialect-defs -dialect=${namespace})
  mlir_tablegen(${name}Enums.h.inc -gen-enum-decls)
  mlir_tablegen(${name}Enums.cpp.inc -gen-enum-defs)
  mlir_tablegen(${name}Types.h.inc -gen-typedef-decls -typedefs-dialect=${namespace})
  mlir_tablegen(${name}Types.cpp.inc -gen-typedef-defs -typedefs-dialect=${namespace})
  mlir_tablegen(${name}Attrs.h.inc -gen-attrdef-decls -attrdefs-dialect=${namespace})
  mlir_tablegen(${name}Attrs.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${namespace})
  mlir_tablegen(${name}Ops.h.inc -gen-op-decls)
  mlir_tablegen(${name}Ops.cpp.inc -gen-op-defs)
  mlir_tablegen(${namespace}.md -gen-dialect-doc -dialect=${namespace})
  add_public_tablegen_target(Tenon${name}IncGen)
  tenon_add_page(dialects/${namespace}.md ${namespace}.md Tenon${name}IncGen)
endfunction()

# tenon_add_passes(Folder): Passes.td in the current folder -> Passes.h.inc, and its part of the page docs/passes.md; the target
# is Tenon<Folder>PassIncGen.
function(tenon_add_passes folder)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name Tenon${folder})
  mlir_tablegen(Passes.md -gen-pass-doc)
  add_public_tablegen_target(Tenon${folder}PassIncGen)
  set_property(GLOBAL APPEND PROPERTY TENON_PASS_PAGES ${CMAKE_CURRENT_BINARY_DIR}/Passes.md)
  set_property(GLOBAL APPEND PROPERTY TENON_PASS_TARGETS Tenon${folder}PassIncGen)
endfunction()
