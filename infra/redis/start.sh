#!/bin/sh
# Redis with the password of its secret, which stands neither in its arguments nor in its environment.
set -eu
password=$(sed 's/[\\"]/\\&/g' /run/secrets/redis-password)
exec redis-server - <<CONF
$(cat /etc/redis/redis.conf)
requirepass "$password"
CONF
