/* The material of an explanation: what should have been signed, and everything that a device could
 * have taken for it. Values only. */
#ifndef SKY_AUTH_SUSPICION_H
#define SKY_AUTH_SUSPICION_H

#include "auth/sign.h"

/* The kinds of mistake; the table in mistakes.c has one row for each. */
enum sky_mistake {
    SKY_MISTAKE_NONE, /* none recognised */

    /* which fields went into the text */
    SKY_MISTAKE_WHOLE_CLIENT_ID,    /* client id signed with its |...| block */
    SKY_MISTAKE_EXTRA_SIGNED,       /* fields signed that must not be (signmethod, securemode) */
    SKY_MISTAKE_TIMESTAMP_LEFT_OUT, /* a timestamp sent that was not signed */
    SKY_MISTAKE_TIMESTAMP_UNSENT,   /* a timestamp signed that was not sent */
    SKY_MISTAKE_TIMESTAMP_UNIT,     /* signed in seconds, sent in milliseconds, or the reverse */
    SKY_MISTAKE_TIMESTAMP_TWICE,    /* the clock read again between signing and sending */
    SKY_MISTAKE_CLIENT_ID_PREFIX,   /* the word clientId doubled in front of the id, or stripped */
    SKY_MISTAKE_SWAPPED_KEYS,       /* product key and device key in each other's place */
    SKY_MISTAKE_FIELD_NAMES,     /* clientID or clientid for clientId, deviceName for deviceKey */
    SKY_MISTAKE_TEXT_PART,       /* only the leading values of a text of bare values */
    SKY_MISTAKE_FIELD_FORGOTTEN, /* one field or two left out, or left empty */
    SKY_MISTAKE_OTHER_CLIENT_ID, /* the client id signed is not the one sent */
    SKY_MISTAKE_OTHER_VALUE,     /* nor is the value of another field */
    SKY_MISTAKE_PLACEHOLDER,     /* ${deviceName}, YOUR_DEVICE_NAME, (null) in a value's place */

    /* how they were written */
    SKY_MISTAKE_VALUES_ONLY, /* values concatenated without their names */
    SKY_MISTAKE_SEPARATORS,  /* k=v&k=v or commas between */
    SKY_MISTAKE_TEXT_TAIL,   /* a line break, blank or NUL behind the text */
    SKY_MISTAKE_FIELD_ORDER,
    SKY_MISTAKE_ESCAPED, /* &amp; for &, backslashes, %XX, full-width punctuation */

    /* how the secret entered */
    SKY_MISTAKE_NOT_HMAC,        /* plain digest of text and secret where an HMAC is due */
    SKY_MISTAKE_IS_HMAC,         /* the reverse */
    SKY_MISTAKE_SECRET_IN_FRONT, /* digest of secret then text */
    SKY_MISTAKE_HMAC_SWAPPED,    /* key and text in each other's place */
    SKY_MISTAKE_SECRET_TWICE,    /* as HMAC key and behind the text as well */
    SKY_MISTAKE_NO_SECRET,       /* digest of the text alone */

    /* which secret */
    SKY_MISTAKE_KEY_NOT_DECODED,   /* base64 text used as the key */
    SKY_MISTAKE_KEY_DECODED,       /* the reverse */
    SKY_MISTAKE_PRODUCT_SECRET,    /* product secret where the device's is due */
    SKY_MISTAKE_DEVICE_SECRET,     /* the reverse */
    SKY_MISTAKE_OLD_SECRET,        /* a secret that an activation replaced */
    SKY_MISTAKE_SECRET_WHITESPACE, /* line break, blank or quotation marks around the secret */
    SKY_MISTAKE_OTHER_DEVICE,      /* another device's secret */
    SKY_MISTAKE_SECRET_CUT,        /* only a part of the secret */
    SKY_MISTAKE_SECRET_ALTERED,    /* the secret in another letter case, or as hexadecimal text */
    SKY_MISTAKE_SECRET_SENT,       /* no signature: the secret itself */

    /* which digest, and how it was sent */
    SKY_MISTAKE_OTHER_DIGEST,   /* label says one digest, bytes are another's */
    SKY_MISTAKE_DIGEST_ALTERED, /* a digit or two are not those of the right digest */
    SKY_MISTAKE_DIGEST_FORM,    /* base64, cut short, or with something between the digits */
    SKY_MISTAKE_EXCHANGED,      /* client id and user name in each other's place */
    SKY_MISTAKE_FIELD_SPELLING, /* a parameter sent under another page's name */
    SKY_MISTAKE_PROTOCOL_LEVEL, /* MQTT's name with another name's level */
    SKY_MISTAKE_BRIDGE,         /* a broker's bridge where a device is due */

    /* pre-shared keys; see psk.h */
    SKY_MISTAKE_PSK_SLICE, /* the wrong bytes of the digest, or not of a digest at all */
    SKY_MISTAKE_PSK_TEXT,  /* the key's hexadecimal text used as the key */
    SKY_MISTAKES
};

enum sky_secret_role {
    SKY_SECRET_DUE,     /* what should have been used */
    SKY_SECRET_DEVICE,  /* this device's, when the product's is due */
    SKY_SECRET_PRODUCT, /* the product's, when the device's is due */
    SKY_SECRET_OLD,     /* one that an activation replaced */
    SKY_SECRET_OTHER,   /* another device's, as registered; `name` says whose */
    SKY_SECRET_ROLES
};

enum { SKY_SECRETS_MAX = 72 };

struct sky_secret {
    enum sky_secret_role role;
    sky_span bytes; /* as registered; the recipe says how the key comes out of it */
    sky_span name;  /* for SKY_SECRET_OTHER */
};

/* Everything a signature could wrongly have been made from. Views; no ownership. */
struct sky_suspicion {
    struct sky_recipe due;                /* the correct recipe */
    struct sky_pair extra[SKY_PAIRS_MAX]; /* what came along and must not be signed */
    size_t extra_count;
    /* What documents and SDKs have in the place of a field, by its name. */
    struct sky_pair samples[SKY_PAIRS_MAX];
    size_t sample_count;
    sky_span whole_client_id; /* with its block, or empty */
    sky_span product, device; /* as the login names them; may be empty */
    int64_t now_ms;
    struct sky_secret secrets[SKY_SECRETS_MAX]; /* [0] has SKY_SECRET_DUE */
    size_t secret_count;
    sky_span given;          /* the signature as it came */
    const char *secret_word; /* what the due secret is called: "deviceSecret"; NULL: "secret" */
    sky_span method;         /* the digest's name as the login has it: "hmacsha1"; may be empty */
    const char *frame; /* the form that the signature should have stood in: "token;method"; NULL: it
                          did, or needs none */
    /* A mistake that is plain already, whatever the search brings; NONE: none. */
    enum sky_mistake plain;
    sky_span plain_did; /* continues "The device ..." */
};

#endif
