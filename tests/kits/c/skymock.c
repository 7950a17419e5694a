/* The kit's implementation, compiled once for each test program. */
#define SKYMOCK_IMPLEMENTATION
#include "skymock.h"
