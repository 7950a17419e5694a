#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/tencent/model.h"
#include "protocol/cloud/tencent/services.h"

#define PROPERTY "$thing/up/property/P/d"
#define PROPERTY_DOWN "$thing/down/property/P/d"
#define EVENT "$thing/up/event/P/d"
#define EVENT_DOWN "$thing/down/event/P/d"
#define ACTION "$thing/up/action/P/d"
#define TEMPLATE "$template/operation/P/d"
#define TEMPLATE_DOWN "$template/operation/result/P/d"
#define NOW "1700000000123"

#define REPLY(method, code, status)                                                                \
    "{\"method\":\"" method "\",\"clientToken\":\"t-1\",\"code\":" code ",\"status\":\"" status    \
    "\"}"
#define STAMP "{\"timestamp\":" NOW "}"

/* What is stored: a lamp that is on, and shall be off. */
#define REPORTED "{\"lamp\":1}"
#define KNOWN                                                                                      \
    "{\"state\":{\"reported\":" REPORTED "},\"metadata\":{\"reported\":{\"lamp\":" STAMP           \
    "}},\"timestamp\":" NOW "}"
#define CONTROLLED                                                                                 \
    "{\"state\":{\"reported\":" REPORTED ",\"desired\":{\"lamp\":0}},"                             \
    "\"metadata\":{\"reported\":{\"lamp\":" STAMP "},\"desired\":{\"lamp\":" STAMP "}},"           \
    "\"timestamp\":" NOW "}"

static const struct service_case properties[] = {
    {.name = "a report is stored",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\", \"clientToken\":\"t-1\", \"timestamp\":1700000000000, "
                "\"params\":{\"lamp\": 1}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "0", "success"),
     .stored = KNOWN},
    {.name = "a report adds to what is known",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\",\"clientToken\":\"t-1\",\"timestamp\":0,"
                "\"params\":{\"fan\":2.5}}",
     .document = KNOWN,
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "0", "success"),
     .stored = "{\"state\":{\"reported\":{\"lamp\":1,\"fan\":2.5}},\"metadata\":{\"reported\":"
               "{\"lamp\":" STAMP ",\"fan\":" STAMP "}},\"timestamp\":" NOW "}"},
    {.name = "a report of nothing changes nothing",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\",\"clientToken\":\"t-1\",\"params\":{}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "0", "success")},
    {.name = "a number as token comes back as one",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\",\"clientToken\":7,\"params\":{}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = "{\"method\":\"report_reply\",\"clientToken\":7,\"code\":0,\"status\":\"success\"}"},
    {.name = "without a token the answer has none",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\",\"params\":{}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = "{\"method\":\"report_reply\",\"code\":0,\"status\":\"success\"}",
     .rule = "TEN-THING-TOKEN"},
    {.name = "400: what is no JSON",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\"",
     .reply_topic = PROPERTY_DOWN,
     .reply = "{\"method\":\"report_reply\",\"code\":400,\"status\":"
              "\"not JSON at line 1, column 19: ',' or '}' is missing\"}",
     .rule = "TEN-THING-JSON"},
    {.name = "400: nothing",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "",
     .reply_topic = PROPERTY_DOWN,
     .reply = "{\"method\":\"report_reply\",\"code\":400,\"status\":\"the payload is empty\"}",
     .rule = "TEN-THING-JSON"},
    {.name = "403: another method",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"reports\",\"clientToken\":\"t-1\",\"params\":{}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "403", "method 'reports' is none of this topic"),
     .rule = "TEN-THING-METHOD"},
    {.name = "403: no method",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"clientToken\":\"t-1\",\"params\":{}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "403", "method '' is none of this topic"),
     .rule = "TEN-THING-METHOD"},
    {.name = "405: seconds",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\",\"clientToken\":\"t-1\",\"timestamp\":1700000000,"
                "\"params\":{\"lamp\":1}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "405", "timestamp 1700000000 is not within a day of " NOW),
     .rule = "TEN-THING-TIME"},
    {.name = "a day less a moment is near enough",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\",\"clientToken\":\"t-1\",\"timestamp\":1699913600124,"
                "\"params\":{}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "0", "success")},
    {.name = "405: a day",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\",\"clientToken\":\"t-1\",\"timestamp\":1700086400123,"
                "\"params\":{}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "405", "timestamp 1700086400123 is not within a day of " NOW),
     .rule = "TEN-THING-TIME"},
    {.name = "406: no object",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\",\"clientToken\":\"t-1\",\"params\":[1]}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "406", "params is not an object"),
     .rule = "TEN-THING-VALUE"},
    {.name = "406: null is no value, and nothing else is taken",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\",\"clientToken\":\"t-1\",\"params\":{\"a\":1,\"b\":null}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "406", "b is null"),
     .rule = "TEN-THING-VALUE"},
    {.name = "a value five levels deep",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\",\"clientToken\":\"t-1\",\"params\":{\"a\":{\"b\":{\"c\":"
                "{\"d\":{\"e\":1}}}}}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "0", "success"),
     .stored = "{\"state\":{\"reported\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":1}}}}}},\"metadata\":"
               "{\"reported\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":" STAMP "}}}}}},"
               "\"timestamp\":" NOW "}"},
    {.name = "406: and a deeper one",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report\",\"clientToken\":\"t-1\",\"params\":{\"a\":{\"b\":{\"c\":"
                "{\"d\":{\"e\":{\"f\":1}}}}}}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_reply", "406", "the state is nested too deeply: at most 5 levels"),
     .rule = "TEN-THING-VALUE"},
    {.name = "the status has what was reported",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"get_status\",\"clientToken\":\"t-1\"}",
     .document = KNOWN,
     .reply_topic = PROPERTY_DOWN,
     .reply = "{\"method\":\"get_status_reply\",\"clientToken\":\"t-1\",\"code\":0,"
              "\"status\":\"success\",\"type\":\"report\",\"data\":{\"reported\":" REPORTED "}}"},
    {.name = "the status of a device that reported nothing",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"get_status\",\"clientToken\":\"t-1\",\"type\":\"report\","
                "\"showmeta\":0}",
     .reply_topic = PROPERTY_DOWN,
     .reply = "{\"method\":\"get_status_reply\",\"clientToken\":\"t-1\",\"code\":0,"
              "\"status\":\"success\",\"type\":\"report\",\"data\":{\"reported\":{}}}"},
    {.name = "the status has the controls that wait",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"get_status\",\"clientToken\":\"t-1\",\"type\":\"report\","
                "\"showmeta\":1}",
     .document = CONTROLLED,
     .reply_topic = PROPERTY_DOWN,
     .reply = "{\"method\":\"get_status_reply\",\"clientToken\":\"t-1\",\"code\":0,"
              "\"status\":\"success\",\"type\":\"report\",\"data\":{\"reported\":" REPORTED
              ",\"control\":{\"lamp\":0}},\"metadata\":{\"reported\":{\"lamp\":" STAMP
              "},\"control\":{\"lamp\":" STAMP "}}}"},
    {.name = "the status of the controls alone",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"get_status\",\"clientToken\":\"t-1\",\"type\":\"control\"}",
     .document = CONTROLLED,
     .reply_topic = PROPERTY_DOWN,
     .reply = "{\"method\":\"get_status_reply\",\"clientToken\":\"t-1\",\"code\":0,"
              "\"status\":\"success\",\"type\":\"control\",\"data\":{\"control\":{\"lamp\":0}}}"},
    {.name = "the status of something else",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"get_status\",\"clientToken\":\"t-1\",\"type\":\"all\"}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("get_status_reply", "403", "get_status has no type 'all'"),
     .rule = "TEN-THING-METHOD"},
    {.name = "controls are cleared",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"clear_control\",\"clientToken\":\"t-1\"}",
     .document = CONTROLLED,
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("clear_control_reply", "0", "success"),
     .stored = KNOWN},
    {.name = "where there are none nothing changes",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"clear_control\",\"clientToken\":\"t-1\"}",
     .document = KNOWN,
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("clear_control_reply", "0", "success")},
    {.name = "a control that is answered waits no longer",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"control_reply\",\"code\":0,\"clientToken\":\"77\"}",
     .document = CONTROLLED,
     .stored = KNOWN,
     .answer = "77"},
    {.name = "the Python SDK's answer has no method",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"code\":0,\"clientToken\":\"77\"}",
     .answer = "77"},
    {.name = "what the device says of itself",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report_info\",\"clientToken\":\"t-1\",\"params\":{\"name\":\"d\","
                "\"moudle_softinfo\":\"x\"}}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_info_reply", "0", "success")},
    {.name = "406: it says nothing of itself",
     .service = &sky_tencent_property,
     .topic = PROPERTY,
     .payload = "{\"method\":\"report_info\",\"clientToken\":\"t-1\"}",
     .reply_topic = PROPERTY_DOWN,
     .reply = REPLY("report_info_reply", "406", "params is not an object"),
     .rule = "TEN-THING-VALUE"},
};

#define EVENT_REPLY(code, status)                                                                  \
    "{\"method\":\"event_reply\",\"clientToken\":\"t-1\",\"code\":" code ",\"status\":\"" status   \
    "\",\"version\":\"1.0\",\"data\":{}}"
#define EVENTS_REPLY(code, status)                                                                 \
    "{\"method\":\"events_reply\",\"clientToken\":\"t-1\",\"code\":" code ",\"status\":\"" status  \
    "\",\"data\":{}}"
#define SMOKE "\"eventId\":\"smoke\",\"type\":\"alert\",\"timestamp\":0,\"params\":{\"level\":2}"
#define LATE "\"eventId\":\"smoke\",\"type\":\"alert\",\"timestamp\":1"

static const struct service_case events[] = {
    {.name = "an event",
     .service = &sky_tencent_event,
     .topic = EVENT,
     .payload = "{\"method\":\"event_post\",\"clientToken\":\"t-1\",\"version\":\"1.0\"," SMOKE "}",
     .reply_topic = EVENT_DOWN,
     .reply = EVENT_REPLY("0", "success")},
    {.name = "an event has no need of parameters",
     .service = &sky_tencent_event,
     .topic = EVENT,
     .payload = "{\"method\":\"event_post\",\"clientToken\":\"t-1\",\"eventId\":\"e\","
                "\"type\":\"fault\"}",
     .reply_topic = EVENT_DOWN,
     .reply = EVENT_REPLY("0", "success")},
    {.name = "the Python SDK's event is a list of one",
     .service = &sky_tencent_event,
     .topic = EVENT,
     .payload = "{\"method\":\"event_post\",\"clientToken\":\"t-1\",\"events\":[{" SMOKE "}]}",
     .reply_topic = EVENT_DOWN,
     .reply = EVENT_REPLY("0", "success")},
    {.name = "several events",
     .service = &sky_tencent_event,
     .topic = EVENT,
     .payload = "{\"method\":\"events_post\",\"clientToken\":\"t-1\",\"events\":[{" SMOKE "},"
                "{\"eventId\":\"e\",\"type\":\"info\"}]}",
     .reply_topic = EVENT_DOWN,
     .reply = EVENTS_REPLY("0", "success")},
    {.name = "400: what is no JSON",
     .service = &sky_tencent_event,
     .topic = EVENT,
     .payload = "[]",
     .reply_topic = EVENT_DOWN,
     .reply = "{\"method\":\"event_reply\",\"code\":400,"
              "\"status\":\"the message is not an object\"}",
     .rule = "TEN-THING-JSON"},
    {.name = "403: another method",
     .service = &sky_tencent_event,
     .topic = EVENT,
     .payload = "{\"method\":\"report\",\"clientToken\":\"t-1\"}",
     .reply_topic = EVENT_DOWN,
     .reply = REPLY("event_reply", "403", "method 'report' is none of this topic"),
     .rule = "TEN-THING-METHOD"},
    {.name = "403: an event without a name",
     .service = &sky_tencent_event,
     .topic = EVENT,
     .payload = "{\"method\":\"event_post\",\"clientToken\":\"t-1\",\"type\":\"info\"}",
     .reply_topic = EVENT_DOWN,
     .reply = EVENT_REPLY("403", "an event has no eventId"),
     .rule = "TEN-THING-EVENT"},
    {.name = "405: one of several is late",
     .service = &sky_tencent_event,
     .topic = EVENT,
     .payload =
         "{\"method\":\"events_post\",\"clientToken\":\"t-1\",\"events\":[{" SMOKE "},{" LATE "}]}",
     .reply_topic = EVENT_DOWN,
     .reply = EVENTS_REPLY("405", "timestamp 1 is not within a day of " NOW),
     .rule = "TEN-THING-TIME"},
    {.name = "406: a type that events do not have",
     .service = &sky_tencent_event,
     .topic = EVENT,
     .payload = "{\"method\":\"event_post\",\"clientToken\":\"t-1\",\"eventId\":\"e\","
                "\"type\":\"warning\"}",
     .reply_topic = EVENT_DOWN,
     .reply = EVENT_REPLY("406", "type is \\\"warning\\\", not info, alert or fault"),
     .rule = "TEN-THING-EVENT"},
    {.name = "406: events that are none",
     .service = &sky_tencent_event,
     .topic = EVENT,
     .payload = "{\"method\":\"events_post\",\"clientToken\":\"t-1\"}",
     .reply_topic = EVENT_DOWN,
     .reply = EVENTS_REPLY("406", "events is no array"),
     .rule = "TEN-THING-VALUE"},
    {.name = "406: parameters that are none",
     .service = &sky_tencent_event,
     .topic = EVENT,
     .payload = "{\"method\":\"event_post\",\"clientToken\":\"t-1\",\"eventId\":\"e\","
                "\"type\":\"info\",\"params\":3}",
     .reply_topic = EVENT_DOWN,
     .reply = EVENT_REPLY("406", "params is not an object"),
     .rule = "TEN-THING-VALUE"},
    {.name = "an action is answered",
     .service = &sky_tencent_action,
     .topic = ACTION,
     .payload = "{\"method\":\"action_reply\",\"clientToken\":\"77\",\"code\":0,\"status\":\"ok\","
                "\"response\":{\"done\":1}}",
     .answer = "77"},
    {.name = "nothing else is said about actions",
     .service = &sky_tencent_action,
     .topic = ACTION,
     .payload = "{\"method\":\"action\",\"clientToken\":\"77\"}",
     .rule = "TEN-THING-METHOD"},
};

static const struct service_case legacy[] = {
    {.name = "the old protocol reports into the same store",
     .service = &sky_tencent_template,
     .topic = TEMPLATE,
     .payload =
         "{\"type\":\"update\",\"clientToken\":\"t-1\",\"state\":{\"reported\":" REPORTED "}}",
     .reply_topic = TEMPLATE_DOWN,
     .reply = "{\"type\":\"update\",\"result\":0,\"timestamp\":" NOW ",\"clientToken\":\"t-1\","
              "\"payload\":{\"state\":{\"reported\":" REPORTED "},\"metadata\":{\"reported\":"
              "{\"lamp\":" STAMP "}},\"version\":1,\"timestamp\":" NOW "}}",
     .stored = KNOWN},
    {.name = "and sees what waits there",
     .service = &sky_tencent_template,
     .topic = TEMPLATE,
     .payload = "{\"type\":\"get\",\"clientToken\":\"t-1\"}",
     .document = CONTROLLED,
     .reply_topic = TEMPLATE_DOWN,
     .reply = "{\"type\":\"get\",\"result\":0,\"timestamp\":" NOW ",\"clientToken\":\"t-1\","
              "\"payload\":{\"state\":{\"reported\":" REPORTED ",\"desired\":{\"lamp\":0},"
              "\"delta\":{\"lamp\":0}},\"metadata\":{\"reported\":{\"lamp\":" STAMP
              "},\"desired\":{\"lamp\":" STAMP "},\"delta\":{\"lamp\":" STAMP "}},"
              "\"version\":7,\"timestamp\":" NOW "}}"},
};

static const struct service_case files[] = {
    {.name = "files that the device has",
     .service = &sky_tencent_file,
     .topic = "$thing/up/service/P/d",
     .payload = "{\"method\":\"report_version\",\"report\":{\"resource_list\":[{\"resource_name\":"
                "\"a.mp3\", \"version\":\"1\", \"resource_type\":\"AUDIO\"}]}}",
     .reply_topic = "$thing/down/service/P/d",
     .reply = "{\"method\":\"report_version_rsp\",\"result_code\":0,\"result_msg\":\"success\","
              "\"resource_list\":[{\"resource_name\":\"a.mp3\",\"version\":\"1\","
              "\"resource_type\":\"AUDIO\"}]}",
     .stored = "{\"resource_list\":[{\"resource_name\":\"a.mp3\",\"version\":\"1\","
               "\"resource_type\":\"AUDIO\"}]}"},
    {.name = "a device that has forgotten them is told",
     .service = &sky_tencent_file,
     .topic = "$thing/up/service/P/d",
     .payload = "{\"method\":\"report_version\",\"report\":{\"resource_list\":[]}}",
     .document = "{\"resource_list\":[{\"resource_name\":\"a\"}]}",
     .reply_topic = "$thing/down/service/P/d",
     .reply = "{\"method\":\"report_version_rsp\",\"result_code\":0,\"result_msg\":\"success\","
              "\"resource_list\":[{\"resource_name\":\"a\"}]}"},
    {.name = "there may be none",
     .service = &sky_tencent_file,
     .topic = "$thing/up/service/P/d",
     .payload = "{\"method\":\"report_version\",\"report\":{\"resource_list\":[]}}",
     .reply_topic = "$thing/down/service/P/d",
     .reply = "{\"method\":\"report_version_rsp\",\"result_code\":0,\"result_msg\":\"success\","
              "\"resource_list\":[]}"},
    {.name = "files without a list",
     .service = &sky_tencent_file,
     .topic = "$thing/up/service/P/d",
     .payload = "{\"method\":\"report_version\",\"report\":{}}",
     .rule = "TEN-SERVICE-REQUEST"},
    {.name = "progress needs no answer",
     .service = &sky_tencent_file,
     .topic = "$thing/up/service/P/d",
     .payload = "{\"method\":\"report_progress\",\"report\":{}}"},
    {.name = "nothing takes files",
     .service = &sky_tencent_file,
     .topic = "$thing/up/service/P/d",
     .payload = "{\"method\":\"request_url\",\"request_id\":\"1\"}",
     .rule = "TEN-SERVICE-UNKNOWN"},
    {.name = "a method that nobody knows",
     .service = &sky_tencent_file,
     .topic = "$thing/up/service/P/d",
     .payload = "{\"method\":\"report\"}",
     .rule = "TEN-SERVICE-REQUEST"},
    {.name = "progress of an upload",
     .service = &sky_tencent_resource,
     .topic = "$resource/up/service/P/d",
     .payload = "{\"type\":\"report_upload_progress\",\"name\":\"f\",\"progress\":{}}",
     .reply_topic = "$resource/down/service/P/d",
     .reply = "{\"type\":\"report_upload_progress_rsp\",\"result_code\":0,\"result_msg\":\"ok\"}"},
    {.name = "progress of a download",
     .service = &sky_tencent_resource,
     .topic = "$resource/up/service/P/d",
     .payload = "{\"type\":\"report_download_progress\",\"name\":\"f\",\"progress\":{}}",
     .reply_topic = "$resource/down/service/P/d",
     .reply =
         "{\"type\":\"report_download_progress_rsp\",\"result_code\":0,\"result_msg\":\"ok\"}"},
    {.name = "no task, no answer",
     .service = &sky_tencent_resource,
     .topic = "$resource/up/service/P/d",
     .payload = "{\"type\":\"get_download_task\"}"},
    {.name = "nothing takes uploads",
     .service = &sky_tencent_resource,
     .topic = "$resource/up/service/P/d",
     .payload = "{\"type\":\"create_upload_task\",\"size\":1,\"name\":\"f\",\"md5sum\":\"x\"}",
     .rule = "TEN-SERVICE-UNKNOWN"},
    {.name = "no type",
     .service = &sky_tencent_resource,
     .topic = "$resource/up/service/P/d",
     .payload = "{}",
     .rule = "TEN-SERVICE-REQUEST"},
};

/* A lamp whose brightness may be set, and its smoke. */
#define MODEL                                                                                      \
    "{\"version\":\"1.0\",\"profile\":{\"ProductId\":\"P\",\"CategoryId\":\"1\"},\"properties\":[" \
    "{\"id\":\"lamp\",\"name\":\"l\",\"mode\":\"rw\",\"define\":{\"type\":\"bool\",\"mapping\":"   \
    "{\"0\":\"off\",\"1\":\"on\"}}},{\"id\":\"level\",\"name\":\"v\",\"mode\":\"r\",\"define\":"   \
    "{\"type\":\"int\",\"min\":\"0\",\"max\":\"100\",\"start\":\"0\",\"step\":\"1\",\"unit\":"     \
    "\"\"}}],"                                                                                     \
    "\"events\":[{\"id\":\"smoke\",\"name\":\"s\",\"type\":\"alert\",\"params\":[{\"id\":"         \
    "\"level\","                                                                                   \
    "\"name\":\"v\",\"define\":{\"type\":\"int\",\"min\":\"0\",\"max\":\"9\",\"start\":\"0\","     \
    "\"step\":"                                                                                    \
    "\"1\",\"unit\":\"\"}}]}],\"actions\":[{\"id\":\"dim\",\"name\":\"d\",\"input\":[{\"id\":"     \
    "\"to\","                                                                                      \
    "\"name\":\"t\",\"define\":{\"type\":\"int\",\"min\":\"0\",\"max\":\"9\",\"start\":\"0\","     \
    "\"step\":"                                                                                    \
    "\"1\",\"unit\":\"\"}}],\"output\":[]}]}"

static const struct {
    const char *name;
    bool event;
    const char *payload;
    int code;
    const char *rule;
} modelled[] = {
    {"as the model has it", false, "\"method\":\"report\",\"params\":{\"lamp\":1,\"level\":100}", 0,
     NULL},
    {"403: no such property", false, "\"method\":\"report\",\"params\":{\"lamb\":1}", 403,
     "TEN-MODEL"},
    {"406: out of range", false, "\"method\":\"report\",\"params\":{\"level\":101}", 406,
     "TEN-MODEL"},
    {"406: another type", false, "\"method\":\"report\",\"params\":{\"level\":\"1\"}", 406,
     "TEN-MODEL"},
    {"a literal is taken, and told", false, "\"method\":\"report\",\"params\":{\"lamp\":true}", 0,
     "TEN-MODEL-FORM"},
    {"an event", true,
     "\"method\":\"event_post\",\"eventId\":\"smoke\",\"type\":\"alert\",\"params\":{\"level\":9}",
     0, NULL},
    {"an event may leave out what it has", true,
     "\"method\":\"event_post\",\"eventId\":\"smoke\",\"type\":\"alert\"", 0, NULL},
    {"403: no such event", true,
     "\"method\":\"event_post\",\"eventId\":\"fire\",\"type\":\"alert\",\"params\":{}", 403,
     "TEN-MODEL"},
    {"403: no such parameter", true,
     "\"method\":\"event_post\",\"eventId\":\"smoke\",\"type\":\"alert\",\"params\":{\"x\":1}", 403,
     "TEN-MODEL"},
    {"406: one event of two", true,
     "\"method\":\"events_post\",\"events\":[{\"eventId\":\"smoke\",\"type\":\"alert\"},"
     "{\"eventId\":\"smoke\",\"type\":\"alert\",\"params\":{\"level\":10}}]",
     406, "TEN-MODEL"},
};

/* What is read-only, or lacks an input, is not sent. */
static const struct command_case modelled_commands[] = {
    {"control", "", "{\"lamp\":0}", PROPERTY_DOWN,
     "{\"method\":\"control\",\"clientToken\":\"42\",\"params\":{\"lamp\":0}}"},
    {"control", "", "{\"level\":1}", NULL, NULL},
    {"control", "", "{\"lamp\":2}", NULL, NULL},
    {"action", "dim", "{\"to\":3}", "$thing/down/action/P/d",
     "{\"method\":\"action\",\"clientToken\":\"42\",\"actionId\":\"dim\",\"timestamp\":" NOW
     ",\"params\":{\"to\":3}}"},
    {"action", "dim", "{}", NULL, NULL},
    {"action", "dim", "{\"to\":10}", NULL, NULL},
    {"action", "glow", "{}", NULL, NULL},
};

static const struct {
    const char *kind, *name, *params;
    const char *pointer, *says;
} refusals[] = {
    {"control", "", "{\"level\":1}", "/params", "(code 406): /level: level is read-only"},
    {"control", "", "{\"lamp\":2}", "/params", "(code 406): /lamp: 2 is none of the values"},
    {"control", "", "{\"lamb\":1}", "/params", "(code 403): /lamb: the model has no lamb"},
    {"action", "dim", "{}", "/params", "(code 406): to is missing"},
    {"action", "dim", "{\"to\":10}", "/params", "(code 406): /to: 10 is not within 0 to 9"},
    {"action", "glow", "{}", "/name", "(code 403): the model has no event or service glow"},
};

static void what_the_model_refuses_is_said(struct service_bench *bench)
{
    for (size_t i = 0; i < SKY_COUNT(refusals); i++) {
        bench_command(bench, sky_tencent_commands, SKY_TENCENT_COMMANDS, refusals[i].kind,
                      refusals[i].name, refusals[i].params);
        assert_string_equal(bench->why.pointer, refusals[i].pointer);
        if (strstr(bench->why.reason, refusals[i].says) == NULL)
            fail_msg("%s: %s", refusals[i].params, bench->why.reason);
    }
}

static void a_model_is_held_to(void **state)
{
    struct service_bench bench;
    struct sky_model *model = NULL;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    assert_int_equal(sky_model_compile(&sky_tencent__model, SKY_SPAN(MODEL), &model, NULL), SKY_OK);
    bench.facts.model = model;
    for (size_t i = 0; i < SKY_COUNT(modelled); i++) {
        char payload[512], code[16];
        snprintf(payload, sizeof payload, "{\"clientToken\":\"t\",%s}", modelled[i].payload);
        snprintf(code, sizeof code, "\"code\":%d,", modelled[i].code);
        bench_send(&bench, modelled[i].event ? &sky_tencent_event : &sky_tencent_property,
                   modelled[i].event ? SKY_SPAN(EVENT) : SKY_SPAN(PROPERTY), sky_span_str(payload));
        const struct sky_effect *answer = bench_effect(&bench, SKY_EFFECT_REPLY);
        if (!sky_span_contains(answer->payload, sky_span_str(code)))
            fail_msg("%s: %.*s", modelled[i].name, SKY_SPAN_ARGS(answer->payload));
        assert_compact(modelled[i].name, answer->payload);
        const struct service_case row = {.name = modelled[i].name, .rule = modelled[i].rule};
        assert_finding(&row, &bench.judge);
        assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT) != NULL,
                         !modelled[i].event && modelled[i].code == 0);
    }
    run_commands(&bench, sky_tencent_commands, SKY_TENCENT_COMMANDS, modelled_commands,
                 SKY_COUNT(modelled_commands));
    what_the_model_refuses_is_said(&bench);
    sky_model_free(model);
    bench_done(&bench);
}

static void messages_are_answered(void **state)
{
    (void)state;
    run_cases("tencent", "P", "d", properties, SKY_COUNT(properties));
    run_cases("tencent", "P", "d", events, SKY_COUNT(events));
    run_cases("tencent", "P", "d", legacy, SKY_COUNT(legacy));
    run_cases("tencent", "P", "d", files, SKY_COUNT(files));
}

static const struct command_case commands[] = {
    {"control", "", "{\"lamp\": 0}", PROPERTY_DOWN,
     "{\"method\":\"control\",\"clientToken\":\"42\",\"params\":{\"lamp\":0}}"},
    {"control", "", "", PROPERTY_DOWN,
     "{\"method\":\"control\",\"clientToken\":\"42\",\"params\":{}}"},
    {"control", "", "[0]", NULL, NULL},
    {"control", "", "{\"lamp\"", NULL, NULL},
    {"template-control", "", "{\"lamp\":0}", TEMPLATE_DOWN,
     "{\"type\":\"delta\",\"timestamp\":" NOW ",\"payload\":{\"state\":{\"lamp\":0},\"metadata\":"
     "{\"lamp\":" STAMP "},\"version\":1,\"timestamp\":" NOW "}}"},
    {"template-control", "", "3", NULL, NULL},
    {"action", "reboot", "", "$thing/down/action/P/d",
     "{\"method\":\"action\",\"clientToken\":\"42\",\"actionId\":\"reboot\",\"timestamp\":" NOW
     ",\"params\":{}}"},
    {"action", "reboot", "{\"in\": 3}", "$thing/down/action/P/d",
     "{\"method\":\"action\",\"clientToken\":\"42\",\"actionId\":\"reboot\",\"timestamp\":" NOW
     ",\"params\":{\"in\":3}}"},
    {"action", "", "", NULL, NULL},
    {"action", "reboot", "3", NULL, NULL},
    {"notice", "unbind_device", "{\"timestamp\":5}", "$thing/down/service/P/d",
     "{\"method\":\"unbind_device\",\"clientToken\":\"42\",\"timestamp\":5}"},
    {"notice", "bind_device", "", "$thing/down/service/P/d",
     "{\"method\":\"bind_device\",\"clientToken\":\"42\"}"},
    {"notice", "bind_device", "{\"clientToken\":\"x\"}", "$thing/down/service/P/d",
     "{\"method\":\"bind_device\",\"clientToken\":\"x\"}"},
    {"notice", "bind_device", "{\"method\":\"x\"}", NULL, NULL},
    {"notice", "", "", NULL, NULL},
};

static void commands_are_pushed(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    run_commands(&bench, sky_tencent_commands, SKY_TENCENT_COMMANDS, commands, SKY_COUNT(commands));
    bench_done(&bench);
}

static void a_control_waits_for_its_answer(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    bench.facts.document = SKY_SPAN(KNOWN);
    bench.facts.document_version = 4;
    bench_command(&bench, sky_tencent_commands, SKY_TENCENT_COMMANDS, "control", "",
                  "{\"lamp\":0}");
    const struct sky_effect *stored = bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT);
    assert_span("control", "the document", stored->payload, CONTROLLED);
    assert_span("control", "its name", stored->name, sky_tencent_property.document);
    assert_int_equal(stored->version, 5);
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_answered),
        cmocka_unit_test(a_model_is_held_to),
        cmocka_unit_test(commands_are_pushed),
        cmocka_unit_test(a_control_waits_for_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
