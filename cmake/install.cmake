# What `cmake --install` puts where: the program with its page, completions and unit, and libp402 with
# its headers, for CMake (find_package(p402)) and for pkg-config.

include(CMakePackageConfigHelpers)

install(TARGETS p402 RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES packaging/p402.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
# Written when it is installed: only then the folder of the program is certain (`--prefix`).
install(CODE "
  set(P402_BINDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
  set(unit \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/p402.service\")
  message(STATUS \"Writing: \$ENV{DESTDIR}\${unit}\")
  configure_file(\"${PROJECT_SOURCE_DIR}/packaging/p402.service.in\" \"\$ENV{DESTDIR}\${unit}\"
    @ONLY NO_SOURCE_PERMISSIONS)
  list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${unit}\")")

# The completions are written by the program itself.
set(completions ${CMAKE_BINARY_DIR}/completions)
set(completion_files)
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT ${completions}/${shell}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${completions}
    COMMAND p402 completion ${shell} > ${completions}/${shell}
    DEPENDS p402 VERBATIM)
  list(APPEND completion_files ${completions}/${shell})
endforeach()
add_custom_target(p402_completions ALL DEPENDS ${completion_files})
install(FILES ${completions}/bash RENAME p402
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${completions}/zsh RENAME _p402
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${completions}/fish RENAME p402.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

install(DIRECTORY include/p402 DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/p402)
install(TARGETS p402_shared EXPORT p402_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS p402_static EXPORT p402_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT p402_shared NAMESPACE p402:: FILE p402-shared.cmake DESTINATION ${package})
install(EXPORT p402_static NAMESPACE p402:: FILE p402-static.cmake DESTINATION ${package})
configure_package_config_file(cmake/p402-config.cmake.in ${CMAKE_BINARY_DIR}/p402-config.cmake
  INSTALL_DESTINATION ${package})
# Before 1.0 another minor version may be another ABI.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/p402-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/p402-config.cmake ${CMAKE_BINARY_DIR}/p402-config-version.cmake
  DESTINATION ${package})

# Relative to the file itself, so that the folder can be moved.
file(RELATIVE_PATH P402_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(packaging/p402.pc.in ${CMAKE_BINARY_DIR}/p402.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/p402.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# Everything that the rules above need.
add_custom_target(p402_installed DEPENDS p402 p402_shared p402_static p402_completions)
