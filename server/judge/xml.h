/* Text as XML and HTML can hold it. */
#ifndef SKY_SERVER_JUDGE_XML_H
#define SKY_SERVER_JUDGE_XML_H

#include "protocol/base/buf.h"

/* As text or as an attribute's value. What XML 1.0 §2.2 has no place for is a question mark: a
 * control character, U+FFFE, U+FFFF, a byte that is no UTF-8. */
void sky_xml_text(struct sky_buf *out, sky_span text);
static inline void sky_xml_str(struct sky_buf *out, const char *text)
{
    sky_xml_text(out, sky_span_str(text));
}

/* As text, and the end of the line. */
void sky_xml_line(struct sky_buf *out, sky_span text);

/* ` name="value"`; in it, line breaks and tabs stay what they are (§3.3.3). */
void sky_xml_attribute(struct sky_buf *out, const char *name, sky_span value);

#endif
