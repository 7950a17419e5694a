#!/bin/sh
# The CTest fixture. Its tests run in one folder, where skymock.pid and skymock.json (the ports) are.
#   skymock.sh start [OPTION]... | with COMMAND... | verdict [OPTION]... | stop
set -eu
verb=$1
shift

url()
{
    echo "http://127.0.0.1:$(sed 's/.*"admin":\([0-9]*\).*/\1/' skymock.json)"
}

case $verb in
start)
    rm -f skymock.json
    "$SKYMOCK" serve --listen all=0 --ports-file skymock.json "$@" >skymock.log 2>&1 &
    echo $! >skymock.pid
    while [ ! -e skymock.json ]; do # it is written when the server is ready
        kill -0 $! 2>/dev/null || { cat skymock.log >&2 && exit 1; }
        sleep 0.05
    done
    ;;
with)
    SKYMOCK_URL=$(url) exec "$@"
    ;;
verdict)
    exec "$SKYMOCK" verdict --run --url "$(url)" "$@"
    ;;
stop)
    kill "$(cat skymock.pid)"
    ;;
esac
