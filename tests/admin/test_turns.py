"""How long the turns of the loop hold it, as /metrics tells."""


def turns(api):
    """(bounds and counts, sum, count)"""
    rows = dict(line.rsplit(" ", 1) for line in api.get("/metrics").splitlines()
                if line.startswith("skymock_loop_turn_seconds"))
    head = 'skymock_loop_turn_seconds_bucket{le="'
    buckets = [(float(name[len(head):-2]), int(count)) for name, count in rows.items()
               if name.startswith(head)]
    return (buckets, float(rows["skymock_loop_turn_seconds_sum"]),
            int(rows["skymock_loop_turn_seconds_count"]))


def test_each_turn_is_counted_once(api):
    api.barrier()
    before, before_s, before_count = turns(api)
    buckets, sum_s, count = turns(api)
    assert [bound for bound, _ in buckets] == sorted(bound for bound, _ in buckets)
    assert [number for _, number in buckets] == sorted(number for _, number in buckets)
    assert buckets[0][0] == 0.00025 and buckets[-2:] == [(5.0, count), (float("inf"), count)]
    assert count > before_count and sum_s > before_s
    assert before[-1][1] == before_count


def test_each_turn_takes_its_time(api):
    """However little it is, and twenty turns at least for twenty thousand devices."""
    _, before_s, before = turns(api)
    product = {"cloud": "aliyun", "productKey": "turns", "productSecret": "s",
               "devices": [{"deviceName": f"d{number}", "deviceSecret": "s"}
                           for number in range(20000)]}
    api.post("/api/v1/products", {"products": [product]})
    _, after_s, after = turns(api)
    assert after - before > 20
    assert after_s - before_s > 0.0025
