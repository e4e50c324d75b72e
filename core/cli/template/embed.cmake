# Writes OUTPUT, a C source that holds the templates' files, template/LANGUAGE/NAME:
#
#     cmake -DOUTPUT=... -DFILES=... -P embed.cmake
set(source "#include \"cli/plugin_project.h\"\n\n")
set(table "")
foreach(file IN LISTS FILES)
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(MAKE_C_IDENTIFIER "${file}" symbol)
    string(REGEX REPLACE "^template/([a-z]+)/(.*)$" "\\1;\\2" parts "${file}")
    list(GET parts 0 language)
    list(GET parts 1 name)
    string(APPEND source "static const char ${symbol}[] = {${bytes}0};\n")
    string(APPEND table "    {\"${language}\", \"${name}\", ${symbol}},\n")
endforeach()
string(APPEND source "\nconst struct project_file project_files[] = {\n${table}    {0},\n};\n")
file(WRITE ${OUTPUT} "${source}")
