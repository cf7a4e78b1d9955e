"""An app that stays on the server, for others to call by its name: examples/spawn.py does.

    ./troupe modal deploy examples/deployed.py
    ./troupe modal run examples/spawn.py::submit
    ./troupe modal app stop reports
"""

import time

import modal

app = modal.App("reports")


# Retries: an input that failed runs again, at most twice, before its caller hears of the error.
@app.function(retries=2)
def write_report(month: str) -> str:
    time.sleep(2)  # stands for work that nobody wants to wait for
    return f"The report of {month}: all is well."
