# What `cmake --install` puts in place: the command, the libraries for users, the headers, and the package that
# find_package(Tenon) finds. Included last, when all targets exist.
include(CMakePackageConfigHelpers)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Tenon)

set_target_properties(tenon_runtime PROPERTIES EXPORT_NAME runtime)
install(TARGETS tenon_runtime EXPORT TenonTargets)
# Opened by the runtime when a model needs it: nobody links it.
install(TARGETS tenon_host)
if(TARGET tenon_compiler)
  # LLVM's libraries are found where they were linked.
  set_target_properties(tenon_compiler PROPERTIES EXPORT_NAME compiler INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS tenon_compiler EXPORT TenonTargets)
endif()
if(TARGET tenon)
  set_target_properties(tenon PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS tenon EXPORT TenonTargets)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tenon DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT TenonTargets NAMESPACE Tenon:: DESTINATION ${package})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/TenonConfig.cmake.in ${PROJECT_BINARY_DIR}/TenonConfig.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/TenonConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/TenonConfig.cmake ${PROJECT_BINARY_DIR}/TenonConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/TenonAddModel.cmake
        DESTINATION ${package})
if(TENON_HOST_MODULES)
  install(TARGETS tenon_host_text tenon_host_images)
endif()
