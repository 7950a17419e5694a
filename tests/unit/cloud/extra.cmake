# Clouds that only the tests have, SKY_EXTRA_CLOUDS: what is linked here has them behind those built
# in. Its own list of clouds comes before the one in the library, which is then left out.
sky_cloud_list(list ${SKY_CLOUDS} ${SKY_EXTRA_CLOUDS})
set(sources ${list})
foreach(cloud IN LISTS SKY_EXTRA_CLOUDS)
    file(GLOB own CONFIGURE_DEPENDS ${cloud}/*.c)
    list(APPEND sources ${own})
endforeach()
set(tests ${sources})
list(FILTER tests INCLUDE REGEX "/test_[^/]*$")
list(FILTER sources EXCLUDE REGEX "/test_[^/]*$")
add_library(sky_extra_clouds OBJECT ${sources})
target_link_libraries(sky_extra_clouds PUBLIC sky_cloud)

add_executable(skymock-extra ${PROJECT_SOURCE_DIR}/server/main.c)
target_link_libraries(skymock-extra PRIVATE sky_extra_clouds sky_server)
target_compile_definitions(skymock-extra PRIVATE SKY_VERSION="${PROJECT_VERSION}")
set_target_properties(skymock-extra PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

# The tests over all clouds once more, and those of these clouds alone.
foreach(name affinity cloud_check cloud_rules login_vectors psk_clouds)
    sky_unit_test(${name}_extra SOURCE test_${name}.c LIBS sky_extra_clouds sky_cloud)
endforeach()
foreach(source IN LISTS tests)
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE "test_" "" name ${name})
    sky_unit_test(${name} SOURCE ${source} LIBS sky_extra_clouds sky_server)
endforeach()

# Their devices, over real sockets: the tests in their folders, and the pairs for their rules.
find_program(SKY_PYTHON python3 REQUIRED PATHS /usr/bin NO_DEFAULT_PATH)
foreach(cloud IN LISTS SKY_EXTRA_CLOUDS)
    add_test(NAME socket.${cloud}
             COMMAND ${SKY_PYTHON} -m pytest -q -c ${PROJECT_SOURCE_DIR}/tests/pytest.ini
                     --confcutdir ${PROJECT_SOURCE_DIR}/tests --rootdir ${PROJECT_SOURCE_DIR}/tests
                     ${CMAKE_CURRENT_SOURCE_DIR}/${cloud} ${PROJECT_SOURCE_DIR}/tests/rules
                     -k ${cloud}
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}/tests)
    set_tests_properties(socket.${cloud} PROPERTIES TIMEOUT 120 LABELS socket ENVIRONMENT
        "SKYMOCK_BUILD=${PROJECT_BINARY_DIR};SKYMOCK_PROGRAM=skymock-extra;SKYMOCK_TEST_CLOUDS=${CMAKE_CURRENT_SOURCE_DIR}")
endforeach()
