/* The entry point of every fuzz target: libFuzzer calls it, or replay.c does with files. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0; a defect ends the program. `bytes` is valid for the call only. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
