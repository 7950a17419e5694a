#!/bin/sh
# The header compiles as C and as C++ without a word, by each compiler that is here.
set -eu
cd "$(dirname "$0")"
strict='-O2 -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wcast-qual -Wwrite-strings'
count=0
# compile LANGUAGE STANDARD COMPILER...: by the first of the compilers that there is
compile()
{
    language=$1 standard=$2
    shift 2
    for compiler; do
        command -v "$compiler" >/dev/null || continue
        # shellcheck disable=SC2086 # one word for each option
        set -- "$compiler" $strict -I. -x "$language" "-std=$standard" -o /dev/null
        echo '#include "skymock.h"' | "$@" -fsyntax-only -
        echo '#include "skymock.h"' | "$@" -DSKYMOCK_IMPLEMENTATION -c -
        count=$((count + 1))
        return
    done
}
compile c c99 gcc
compile c gnu17 clang clang-14
compile c++ c++11 g++
compile c++ gnu++20 clang++ clang++-14
# Behind other headers POSIX cannot be asked for any more, and that is said; but not where it is there.
late='#include <stdint.h>
#define SKYMOCK_IMPLEMENTATION
#include "skymock.h"'
if command -v gcc >/dev/null && echo '#include <stdint.h>' | gcc -E - | grep -q bits/libc-header; then
    for standard in c99 c11; do
        echo "$late" | gcc "-std=$standard" -I. -x c -fsyntax-only - 2>&1 |
            grep -q '#error.*a file of its own that includes nothing before it, or use -std=gnu'
    done
    echo "$late" | gcc -std=gnu99 -I. -x c -fsyntax-only -
fi
echo "$count compilers"
[ "$count" -gt 0 ]
