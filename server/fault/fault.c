#include "server/fault/fault.h"
