# Writes OUT, a C file with the texts of SUITES, by name. Bytes as numbers, so that no text is special.
set(texts "")
set(rows "")
set(count 0)
foreach(file IN LISTS SUITES)
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(APPEND texts "static const unsigned char suite_${count}[] = {${bytes}0x00};\n")
    string(APPEND rows
           "    {\"${name}\", (const char *)suite_${count}, sizeof suite_${count} - 1},\n")
    math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUT} "#include \"server/suite/suite.h\"\n\n${texts}
const struct sky_builtin_suite sky_builtin_suites[] = {\n${rows}};
const size_t sky_builtin_suite_count = ${count};\n")
