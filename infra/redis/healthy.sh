#!/bin/sh
# Whether Redis answers, and has read its data.
REDISCLI_AUTH=$(cat /run/secrets/redis-password) redis-cli ping | grep -qx PONG
