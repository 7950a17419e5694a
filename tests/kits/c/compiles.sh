#!/bin/sh
# The header compiles as C and as C++ without a word, by each compiler that is here.
set -eu
cd "$(dirname "$0")"
strict='-O2 -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wcast-qual -Wwrite-strings'
count=0
compile()
{
    compiler=$1
    shift
    command -v "$compiler" >/dev/null || return 0
    for define in -DSKYMOCK_IMPLEMENTATION -DINTERFACE_ALONE; do
        # shellcheck disable=SC2086 # one word for each option
        printf '#include "skymock.h"\n' | "$compiler" $strict $define -I. "$@" -c -o /dev/null -
    done
    count=$((count + 1))
}
for compiler in gcc clang clang-14; do
    compile "$compiler" -x c -std=c99 -Wmissing-prototypes -Wstrict-prototypes
    compile "$compiler" -x c -std=gnu17 -Wmissing-prototypes -Wstrict-prototypes
done
for compiler in g++ clang++ clang++-14; do
    compile "$compiler" -x c++ -std=c++11
    compile "$compiler" -x c++ -std=gnu++20
done
echo "$count compilers and standards"
[ "$count" -gt 0 ]
