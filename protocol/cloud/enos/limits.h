/* How much a device of this cloud may say at once. */
#ifndef SKY_ENOS_LIMITS_H
#define SKY_ENOS_LIMITS_H

enum {
    SKY_ENOS_MESSAGE_MAX = 512 * 1024, /* bytes of a message */
    SKY_ENOS_BATCH_MAX = 200,          /* attributes or tags in one message */
    SKY_ENOS_TAGS_MAX = 100,           /* of a device */
    SKY_ENOS_TAG_KEY_MAX = 100,        /* bytes */
    SKY_ENOS_TAG_KEY_ADVISED = 50,
    SKY_ENOS_TAG_VALUE_ADVISED = 200,
    SKY_ENOS_QUALITY_MAX = 9,
    SKY_ENOS_ONLINE_MAX = 200, /* devices online by one gateway */
};

#endif
