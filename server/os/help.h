/* Text for the terminal: words that never break, in lines of 80 columns. */
#ifndef SKY_SERVER_OS_HELP_H
#define SKY_SERVER_OS_HELP_H

#include <stdio.h>

enum { SKY_HELP_WIDTH = 80 };

/* Prints the words and a line end. The line has `column` characters already; further ones begin
 * with `indent` blanks. */
void sky_help_wrap(FILE *out, size_t column, size_t indent, const char *text);

#endif
