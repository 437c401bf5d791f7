# One folder of src/ = one target p402_<folder> = one namespace = one floor. A floor links only to
# strictly lower floors; script/check holds the #include lines to the same rule.

add_library(p402_flags INTERFACE)
target_compile_options(p402_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror
  -fvisibility=hidden -fstack-protector-strong -fno-omit-frame-pointer)
target_include_directories(p402_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(p402_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
if(P402_SANITIZE)
  target_compile_options(p402_flags INTERFACE -fsanitize=${P402_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(p402_flags INTERFACE -fsanitize=${P402_SANITIZE})
endif()
if(P402_FUZZ)
  target_compile_options(p402_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# p402_floor(NAME DEPS <targets of lower floors and libraries>)
#
# Takes every *.cc below src/NAME. By suffix: x_test.cc goes into p402_NAME_test (one ctest entry),
# x_fuzz.cc becomes the fuzz target NAME_x_fuzz, x_bench.cc goes into p402_NAME_bench,
# everything else into the library p402_NAME. Files named testing/*.cc (fakes that other floors' tests
# use) go into p402_NAME_testing.
function(p402_floor name)
  cmake_parse_arguments(ARG "" "" "DEPS;TEST_DEPS" ${ARGN})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS *.cc)
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_bench)\\.cc$|/testing/|/main\\.cc$")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(fuzzers ${all})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  set(benches ${all})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  set(fakes ${all})
  list(FILTER fakes INCLUDE REGEX "/testing/")
  list(FILTER fakes EXCLUDE REGEX "_test\\.cc$")

  set(target p402_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC p402_flags ${ARG_DEPS})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE p402_flags ${ARG_DEPS})
  endif()
  if(fakes)
    add_library(${target}_testing STATIC ${fakes})
    target_link_libraries(${target}_testing PUBLIC ${target})
    set(own_fakes ${target}_testing)
  endif()
  if(tests)
    add_executable(${target}_test ${tests})
    target_link_libraries(${target}_test PRIVATE ${target} ${own_fakes} ${ARG_TEST_DEPS} p402_base_testing
      GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${target}_test --gtest_brief=1)
  endif()
  if(P402_BENCH AND benches)
    add_executable(${target}_bench ${benches})
    target_link_libraries(${target}_bench PRIVATE ${target} benchmark::benchmark_main)
  endif()
  foreach(fuzzer ${fuzzers})
    get_filename_component(stem ${fuzzer} NAME_WE)
    p402_fuzz_target(${name}_${stem} ${fuzzer} ${target})
  endforeach()
endfunction()

# A fuzz target. Its corpus is tests/corpus/<target>/. With P402_FUZZ it is a libFuzzer program; without it
# the same file is linked with a driver that replays the corpus once, as an ordinary test.
function(p402_fuzz_target target source library)
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE ${library})
  if(P402_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/replay_corpus.cc)
    add_test(NAME corpus_${target} COMMAND ${target} ${CMAKE_SOURCE_DIR}/tests/corpus/${target})
  endif()
endfunction()
