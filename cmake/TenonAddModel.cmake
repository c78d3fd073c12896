# tenon_add_model(<target> MODEL <file.onnx> [NAME <name>] [LINK] [TARGET_DEVICE <device>] [OPTIONS <option>...])
#
# Compiles an ONNX model when <target> is built, and again when the model changes.
#   NAME           of the compiled model; default: the file's name without its ending
#   LINK           the model goes into the program: include "<name>.h" for its bytes. Without it the model is the file
#                  <name>.tenon beside the program.
#   TARGET_DEVICE  as `tenon compile --target` takes it; default: cpu, this computer's. For a program that will run elsewhere,
#                  name the processor: cpu:x86-64-v3
#   OPTIONS        more options of `tenon compile`, such as --dim batch=1..64
# <target> is linked with Tenon::runtime.
function(tenon_add_model target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "LINK" "MODEL;NAME;TARGET_DEVICE" "OPTIONS")
  if(NOT arg_MODEL OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tenon_add_model(<target> MODEL <file.onnx> [NAME <name>] [LINK] [TARGET_DEVICE <device>] [OPTIONS <option>...])")
  endif()
  get_filename_component(model ${arg_MODEL} ABSOLUTE)
  if(NOT arg_NAME)
    get_filename_component(arg_NAME ${model} NAME_WE)
  endif()
  if(NOT arg_TARGET_DEVICE)
    set(arg_TARGET_DEVICE cpu)
  endif()

  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}.models)
  set(command Tenon::tenon compile ${model} --target ${arg_TARGET_DEVICE} ${arg_OPTIONS})
  target_link_libraries(${target} PRIVATE Tenon::runtime)
  file(MAKE_DIRECTORY ${folder})
  if(arg_LINK)
    set(object ${folder}/${arg_NAME}.o)
    add_custom_command(OUTPUT ${object} ${folder}/${arg_NAME}.h
                       COMMAND ${command} --emit object -o ${object}
                       DEPENDS ${model} Tenon::tenon COMMENT "Compiling ${arg_NAME}" VERBATIM)
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    target_sources(${target} PRIVATE ${object} ${folder}/${arg_NAME}.h)
    target_include_directories(${target} PRIVATE ${folder})
  else()
    set(artifact ${folder}/${arg_NAME}.tenon)
    add_custom_command(OUTPUT ${artifact} COMMAND ${command} -o ${artifact}
                       DEPENDS ${model} Tenon::tenon COMMENT "Compiling ${arg_NAME}" VERBATIM)
    add_custom_target(${target}.${arg_NAME} DEPENDS ${artifact})
    add_dependencies(${target} ${target}.${arg_NAME})
    add_custom_command(TARGET ${target} POST_BUILD
                       COMMAND ${CMAKE_COMMAND} -E copy_if_different ${artifact} $<TARGET_FILE_DIR:${target}>/${arg_NAME}.tenon
                       VERBATIM)
  endif()
endfunction()
