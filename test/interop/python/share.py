import time

from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.evaluation_context import EvaluationContext

api.set_provider_and_wait(FlagdProvider())
flags, before = api.get_client(), -1
while True:
    contexts = [EvaluationContext(f"i-{i}") for i in range(100)]
    on = sum(flags.get_boolean_value("new-scheduler", False, context) for context in contexts)
    if on != before:
        print(f"new-scheduler is on for {on} of 100 instances", flush=True)
    before = on
    time.sleep(0.1)
