/* Thing models of this cloud. Private to this folder. */
#ifndef SKY_ENOS_MODEL_H
#define SKY_ENOS_MODEL_H

#include "protocol/cloud/model_form.h"

extern const struct sky_cloud_model sky_enos__model;

/* The data that answers thing/tsltemplate/get, in the arena: the model's four maps. */
sky_span sky_enos__model_maps(const struct sky_model *model, struct sky_arena *arena);

#endif
