/* What routes take: query parameters, and members of bodies, checked before a handler runs. */
#ifndef SKY_SERVER_ADMIN_PARAMS_H
#define SKY_SERVER_ADMIN_PARAMS_H

#include "server/admin/api.h"

extern const struct sky_api_param sky_params_secrets_query[];
extern const struct sky_api_param sky_params_devices_query[];
extern const struct sky_api_param sky_params_device_body[];
extern const struct sky_api_param sky_params_change_body[];
extern const struct sky_api_param sky_params_credentials_query[];
extern const struct sky_api_param sky_params_message_body[];
extern const struct sky_api_param sky_params_command_body[];
extern const struct sky_api_param sky_params_product_body[];
extern const struct sky_api_param sky_params_capture_body[];
extern const struct sky_api_param sky_params_topology_body[];
extern const struct sky_api_param sky_params_config_body[];
extern const struct sky_api_param sky_params_upgrade_query[];
extern const struct sky_api_param sky_params_upgrade_body[];
extern const struct sky_api_param sky_params_cancel_query[];
extern const struct sky_api_param sky_params_verify_body[];
extern const struct sky_api_param sky_params_events_query[];
extern const struct sky_api_param sky_params_search_body[];
extern const struct sky_api_param sky_params_stream_query[];
extern const struct sky_api_param sky_params_certificate_body[];
extern const struct sky_api_param sky_params_advance_body[];
extern const struct sky_api_param sky_params_set_body[];
extern const struct sky_api_param sky_params_verdicts_query[];
extern const struct sky_api_param sky_params_report_query[];
extern const struct sky_api_param sky_params_expected_query[];
extern const struct sky_api_param sky_params_expected_body[];
extern const struct sky_api_param sky_params_fault_body[];
extern const struct sky_api_param sky_params_reset_body[];
extern const struct sky_api_param sky_params_snapshot_body[];
extern const struct sky_api_param sky_params_snapshot_query[];
extern const struct sky_api_param sky_params_restore_body[];
extern const struct sky_api_param sky_params_run_body[];
extern const struct sky_api_param sky_params_run_done_body[];

#endif
