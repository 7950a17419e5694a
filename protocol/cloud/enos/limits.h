/* How much a device of this cloud may say at once. */
#ifndef SKY_ENOS_LIMITS_H
#define SKY_ENOS_LIMITS_H

enum {
    SKY_ENOS_MESSAGE_MAX = 64 * 1024, /* bytes of a JSON message; the vendor's figure is unknown */
    SKY_ENOS_BATCH_MAX = 200,         /* attributes or tags in one message */
    SKY_ENOS_TAG_KEY_MAX = 100,       /* bytes */
    SKY_ENOS_QUALITY_MAX = 9,
};

#endif
