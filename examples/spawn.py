"""Calls the deployed app of examples/deployed.py, without waiting for it and from another process.

    ./troupe modal deploy examples/deployed.py
    ./troupe modal run examples/spawn.py::submit
    ./troupe modal run examples/spawn.py::collect --call fc-...
"""

import modal

app = modal.App("spawn")


@app.local_entrypoint()
def submit(month: str = "May"):
    call = modal.Function.from_name("reports", "write_report").spawn(month)
    # From here on the server has the call, on its disk: this process may end, and so may the server.
    print(f"submitted {call.object_id}, now waiting for it")
    print(call.get())


@app.local_entrypoint()
def collect(call: str):
    # The result can be had again and again, by anyone who knows the id.
    print(modal.FunctionCall.from_id(call).get())
