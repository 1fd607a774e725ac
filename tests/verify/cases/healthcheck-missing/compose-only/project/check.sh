#!/bin/sh
test -e /srv/ready
