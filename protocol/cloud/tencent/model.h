/* Thing models of this cloud. Private to this folder. */
#ifndef SKY_TENCENT_MODEL_H
#define SKY_TENCENT_MODEL_H

#include "protocol/cloud/model_form.h"

extern const struct sky_cloud_model sky_tencent__model;

#endif
