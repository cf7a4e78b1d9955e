"""The smallest app: what makes the base image ready for all other tests."""

import modal

app = modal.App("hello")


@app.function()
def square(number: int) -> int:
    print(f"squaring {number}")
    return number * number


@app.local_entrypoint()
def main(number: int = 3):
    print(f"{number} squared is {square.remote(number)}")
