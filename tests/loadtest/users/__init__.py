"""Tests of the users: Locust runs in a process of its own, or gevent would patch this one."""
