# Run by cpack on what is about to be packed, as Debian wants it.
file(GLOB_RECURSE pages ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/man/*.[1-9]
     ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/doc/picket/changelog)
execute_process(COMMAND gzip -9nf ${pages} COMMAND_ERROR_IS_FATAL ANY)
