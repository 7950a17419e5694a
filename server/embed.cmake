# Writes OUT, a C file with FILES as TABLE, an array of struct sky_embedded, which HEADER declares.
# Their names there lack the ending WITHOUT. Bytes as numbers, so that none is special. What only
# readers of the source need, comments and spaces, is left out of scripts and style sheets.
set(texts "")
set(rows "")
set(count 0)
foreach(file IN LISTS FILES)
    get_filename_component(name ${file} NAME)
    if(WITHOUT)
        string(REGEX REPLACE "${WITHOUT}$" "" name ${name})
    endif()
    if(file MATCHES "\\.(js|css)$")
        file(READ ${file} text)
        string(REGEX REPLACE " */\\*([^*]|\\*+[^*/])*\\*+/" "" text "${text}")
        string(REGEX REPLACE "\n[\n ]+" "\n" text "${text}")
        if(file MATCHES "css$")
            string(REGEX REPLACE "[ \n]*([{};:,>])[ \n]+" "\\1" text "${text}")
            string(REPLACE ";}" "}" text "${text}")
        endif()
        set(file ${OUT}.${name})
        file(WRITE ${file} "${text}")
    endif()
    file(READ ${file} bytes HEX)
    file(SHA256 ${file} digest)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(APPEND texts "static const unsigned char file_${count}[] = {${bytes}0x00};\n")
    string(APPEND rows "    {\"${name}\", (const char *)file_${count}, sizeof file_${count} - 1,\n"
           "     \"${digest}\"},\n")
    math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUT} "#include \"${HEADER}\"\n\n${texts}
const struct sky_embedded ${TABLE}[] = {\n${rows}};
const size_t ${TABLE}_count = ${count};\n")
