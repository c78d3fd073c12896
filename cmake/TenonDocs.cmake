# The pages that mlir-tblgen writes from the .td files: one for each dialect, one for all passes. The target `docs` puts them into
# docs/ of the build tree; tools/docs copies them into the source tree, where a test sees when they are old.

add_custom_target(docs ALL)

# tenon_add_page(PAGE SOURCE TARGET): docs/PAGE of the build tree is SOURCE of the current binary folder, which TARGET makes.
function(tenon_add_page page source target)
  set(output ${PROJECT_BINARY_DIR}/docs/${page})
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_BINARY_DIR}/${source} ${output}
    DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/${source} ${target}
    VERBATIM)
  string(MAKE_C_IDENTIFIER docs-${page} name)
  add_custom_target(${name} DEPENDS ${output})
  add_dependencies(docs ${name})
endfunction()

# tenon_add_pass_page(): docs/passes.md, the parts in the order in which the folders were added: that of the phases.
function(tenon_add_pass_page)
  get_property(pages GLOBAL PROPERTY TENON_PASS_PAGES)
  get_property(targets GLOBAL PROPERTY TENON_PASS_TARGETS)
  set(output ${PROJECT_BINARY_DIR}/docs/passes.md)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-DPAGES=${pages}" -DROOT=${PROJECT_BINARY_DIR} -DOUTPUT=${output}
            -P ${PROJECT_SOURCE_DIR}/cmake/JoinPassPages.cmake
    DEPENDS ${pages} ${targets} ${PROJECT_SOURCE_DIR}/cmake/JoinPassPages.cmake
    VERBATIM)
  add_custom_target(docs_passes_md DEPENDS ${output})
  add_dependencies(docs docs_passes_md)
endfunction()
