# How Tenon's own libraries and programs are declared. One place decides warnings, sanitizers and include paths.

add_library(tenon_options INTERFACE)
target_compile_options(tenon_options INTERFACE
  -Wall -Wextra -Werror -Wno-unused-parameter -fno-exceptions -ffunction-sections -fdata-sections
  -fvisibility-inlines-hidden)
target_include_directories(tenon_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR})
if(TENON_SANITIZE)
  target_compile_options(tenon_options INTERFACE -fsanitize=${TENON_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(tenon_options INTERFACE -fsanitize=${TENON_SANITIZE})
endif()

# tenon_add_library(NAME SOURCES... [MLIR] [EXCEPTIONS] [LINK libraries...] [DEPENDS targets...])
#   MLIR        built against LLVM/MLIR and with the shared precompiled header
#   EXCEPTIONS  may catch the exceptions of a library it uses (none may leave it); has no precompiled header
function(tenon_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "MLIR;EXCEPTIONS" "" "LINK;DEPENDS")
  add_library(${name} STATIC ${arg_UNPARSED_ARGUMENTS})
  tenon_configure(${name})
endfunction()

# tenon_add_executable(NAME SOURCES... [MLIR] [LINK libraries...] [DEPENDS targets...])
function(tenon_add_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "MLIR;EXCEPTIONS" "" "LINK;DEPENDS")
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  tenon_configure(${name})
endfunction()

macro(tenon_configure name)
  get_target_property(type ${name} TYPE)
  if(type STREQUAL "EXECUTABLE")
    # Compiled as libraries are, since the shared precompiled header fits one of -fPIC and -fPIE only.
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIC)
  endif()
  target_link_libraries(${name} PUBLIC tenon_options ${arg_LINK})
  if(arg_DEPENDS)
    add_dependencies(${name} ${arg_DEPENDS})
  endif()
  if(arg_MLIR)
    target_link_libraries(${name} PUBLIC tenon_mlir)
    if(NOT arg_EXCEPTIONS AND NOT TENON_NO_PCH)
      target_precompile_headers(${name} REUSE_FROM tenon_pch)
    endif()
  endif()
  if(arg_EXCEPTIONS)
    # A property of the sources, since only those come after the options of tenon_options on the command line.
    set_source_files_properties(${arg_UNPARSED_ARGUMENTS} PROPERTIES COMPILE_OPTIONS -fexceptions)
  endif()
endmacro()
