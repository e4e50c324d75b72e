# Read by cpack: what the engine needs is depended on; what plugins alone need is recommended, so that
# who has no use for them need not have their libraries.
set(work ${CPACK_PICKET_BUILD}/shlibs)
file(MAKE_DIRECTORY ${work}/debian)
file(WRITE ${work}/debian/control "Source: picket\n\nPackage: picket\nArchitecture: any\n")
file(GLOB_RECURSE plugins ${CPACK_PICKET_BUILD}/plugins/*.so)
execute_process(
    COMMAND dpkg-shlibdeps -O -dDepends ${CPACK_PICKET_BUILD}/picket -dRecommends ${plugins}
    WORKING_DIRECTORY ${work}
    OUTPUT_VARIABLE found
    ERROR_VARIABLE said
    RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "dpkg-shlibdeps: ${said}")
endif()
string(REGEX MATCH "shlibs:Depends=([^\n]*)" nothing "${found}")
# For postinst: users, and systemd's units where there is systemd.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "${CMAKE_MATCH_1}, passwd, init-system-helpers (>= 1.52)")
string(REGEX MATCH "shlibs:Recommends=([^\n]*)" nothing "${found}")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "${CMAKE_MATCH_1}")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "logrotate")
