/* Jobs that the application gives devices. The document holds them as they are pushed and as the
 * device says it is with each: {"taskId":{"taskId":..,"status":..,"progress":..,..}}. Known from
 * the C SDK 3.2's sample; no page of the vendor's was reached. */
#include "protocol/base/mem.h"
#include "protocol/cloud/aliyun/request.h"

/* The first two are the cloud's, the others a device's to say. */
static bool is_open(sky_span status)
{
    return sky_json_reads(status, "QUEUED") || sky_json_reads(status, "SENT") ||
           sky_json_reads(status, "IN_PROGRESS");
}

static bool is_devices(sky_span status)
{
    return sky_json_reads(status, "IN_PROGRESS") || sky_json_reads(status, "SUCCEEDED") ||
           sky_json_reads(status, "FAILED") || sky_json_reads(status, "REJECTED");
}

/* The task with another status and progress. */
static sky_span with_status(const struct sky_aliyun_request *request, sky_span task)
{
    static const char *const told[] = {"taskId", "status", "progress"};
    struct sky_json_member member;
    struct sky_buf out;
    sky_buf_init(&out, SKY_LATEST_BYTES_MAX + SKY_ALIYUN_MESSAGE_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    for (size_t i = 0; i < SKY_COUNT(told); i++) {
        sky_span value = sky_json_member(request->envelope.params, told[i]);
        if (value.len == 0)
            continue;
        sky_jw_key(&jw, told[i]);
        sky_jw_raw(&jw, value);
    }
    sky_span rest = sky_json_inside(task);
    while (sky_json_next_member(&rest, &member)) {
        if (sky_json_reads(member.key, "taskId") || sky_json_reads(member.key, "status") ||
            sky_json_reads(member.key, "progress"))
            continue;
        sky_jw_key_raw(&jw, member.key);
        sky_jw_raw(&jw, member.value);
    }
    sky_jw_end_object(&jw);
    return sky_envelope_keep(&request->effects->arena, &out);
}

static void handle_job_update(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct sky_latest jobs;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects))
        return;
    sky_span id = sky_json_member(request.envelope.params, "taskId");
    sky_span status = sky_json_member(request.envelope.params, "status");
    sky_span progress = sky_json_member(request.envelope.params, "progress");
    bool sound = sky_json_is_string(id) && sky_json_text(id).len > 0 &&
                 is_devices(sky_json_text(status)) &&
                 (progress.len == 0 || sky_json_is_number(progress));
    if (!sound) {
        (void)sky_aliyun__refused(
            &request, sky_aliyun__fault(SKY_ALIYUN_PARAMETER,
                                        "params must have a taskId, one of the statuses that a "
                                        "device reports, and progress, if any, as a number"));
        return;
    }
    sky_latest_open(&jobs, facts->document, &effects->arena);
    sky_latest_put(&jobs, sky_json_text(id),
                   with_status(&request, sky_latest_get(&jobs, sky_json_text(id))));
    sky_latest_save(&jobs, facts, sky_aliyun_job_update.document, effects);
    sky_latest_close(&jobs);
    sky_aliyun__succeed(&request, SKY_SPAN("{}"));
}

/* {"taskId":asked,"task":{..}}; $next is the first that is not done, $list stands for them all. */
static void handle_job_get(const struct sky_uplink *uplink, const struct sky_facts *facts,
                           struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct sky_json_member member;
    struct sky_buf out;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects))
        return;
    sky_span asked = sky_json_text(sky_json_member(request.envelope.params, "taskId"));
    bool list = sky_json_reads(asked, "$list"), next = sky_json_reads(asked, "$next");
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_jw_key(&jw, list ? "tasks" : "task");
    if (list)
        sky_jw_array(&jw);
    bool found = false;
    sky_span rest = sky_json_inside(facts->document);
    while ((list || !found) && sky_json_next_member(&rest, &member)) {
        found = list || (next && is_open(sky_json_text(sky_json_member(member.value, "status")))) ||
                sky_json_compare(member.key, asked) == 0;
        if (found)
            sky_jw_raw(&jw, member.value);
    }
    if (list)
        sky_jw_end_array(&jw);
    else if (!found)
        sky_jw_raw(&jw, SKY_SPAN("{}"));
    sky_jw_end_object(&jw);
    sky_aliyun__succeed(&request, sky_envelope_keep(&effects->arena, &out));
}

const struct sky_service sky_aliyun_job_update = {
    .name = "job-update", .document = SKY_ALIYUN_JOBS, .handle = handle_job_update};
const struct sky_service sky_aliyun_job_get = {
    .name = "job-get", .document = SKY_ALIYUN_JOBS, .handle = handle_job_get};
