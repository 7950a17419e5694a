#include "server/admin/match.h"

#include "protocol/base/assert.h"
#include "protocol/base/similar.h"
#include "protocol/http/head.h"

static bool is_placeholder(sky_span segment)
{
    return segment.len > 2 && segment.ptr[0] == '{';
}

static bool take_var(sky_span name, sky_span segment, struct sky_path_vars *vars)
{
    if (segment.len == 0)
        return false;
    if (sky_span_eq(name, SKY_SPAN("{cloud}")))
        return sky_http_decode(segment, false, vars->cloud, sizeof vars->cloud);
    if (sky_span_eq(name, SKY_SPAN("{product}")))
        return sky_http_decode(segment, false, vars->product, sizeof vars->product);
    if (sky_span_eq(name, SKY_SPAN("{device}")))
        return sky_http_decode(segment, false, vars->device, sizeof vars->device);
    SKY_ASSERT(sky_span_eq(name, SKY_SPAN("{name}")));
    return sky_http_decode(segment, false, vars->name, sizeof vars->name);
}

bool sky_match_path(sky_span pattern, sky_span path, struct sky_path_vars *ret_vars)
{
    struct sky_path_vars vars = {0};
    sky_span wanted, given;
    while (sky_span_next(&pattern, '/', &wanted)) {
        if (!sky_span_next(&path, '/', &given))
            return false;
        if (is_placeholder(wanted) ? !take_var(wanted, given, &vars) : !sky_span_eq(wanted, given))
            return false;
    }
    if (sky_span_next(&path, '/', &given))
        return false;
    *ret_vars = vars;
    return true;
}

unsigned sky_match_nearness(sky_span pattern, sky_span path)
{
    sky_span wanted, given;
    unsigned points = 0;
    while (sky_span_next(&pattern, '/', &wanted) && sky_span_next(&path, '/', &given)) {
        if (sky_span_eq(wanted, given) && wanted.len > 0)
            points += 2;
        else if (is_placeholder(wanted) || sky_similar(wanted, given))
            points += 1;
        else if (wanted.len > 0)
            break;
    }
    return points;
}

bool sky_match_product(sky_span text, struct sky_path_vars *ret_vars)
{
    struct sky_path_vars vars = {0};
    sky_span cloud, product;
    if (!sky_span_cut(text, '/', &cloud, &product) || cloud.len == 0 || product.len == 0 ||
        sky_span_contains(product, SKY_SPAN("/")) ||
        !sky_span_copy(cloud, vars.cloud, sizeof vars.cloud) ||
        !sky_span_copy(product, vars.product, sizeof vars.product))
        return false;
    *ret_vars = vars;
    return true;
}

bool sky_match_device(sky_span text, struct sky_path_vars *ret_vars)
{
    struct sky_path_vars vars = {0};
    sky_span cloud, product, device, rest;
    if (!sky_span_cut(text, '/', &cloud, &rest) || !sky_span_cut(rest, '/', &product, &device) ||
        cloud.len == 0 || product.len == 0 || device.len == 0)
        return false;
    if (!sky_span_copy(cloud, vars.cloud, sizeof vars.cloud) ||
        !sky_span_copy(product, vars.product, sizeof vars.product) ||
        !sky_span_copy(device, vars.device, sizeof vars.device))
        return false;
    *ret_vars = vars;
    return true;
}
