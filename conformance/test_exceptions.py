"""Exceptions raised in containers."""

import pytest


@pytest.mark.core
def test_a_remote_exception_arrives_with_its_type_message_and_traceback(client, deployed):
    """Break: leave data, serialized_tb or tb_line_cache out of FunctionGetOutputs."""
    caught = client.sdk(
        """
        import traceback
        try:
            modal.Function.from_name("shared", "fail").remote("no such fish")
        except ValueError as error:
            answer([str(error), "".join(traceback.format_exception(error))])
        """
    )
    assert caught[0] == "no such fish"
    assert 'in fail\n' in caught[1] and "shared.py" in caught[1], caught[1]


def test_modal_run_shows_the_remote_frames_and_fails(client, script):
    """Break: answer a failed input as if it had succeeded."""
    app = script(
        "thrower.py",
        """
        import modal
        app = modal.App("thrower")

        class Unheard(Exception):
            pass

        @app.function()
        def deep():
            raise Unheard("of")

        @app.local_entrypoint()
        def main():
            deep.remote()
        """,
    )
    finished = client.modal("run", app, succeeds=False)
    assert finished.status == 1
    assert "Unheard: of" in finished.output
    assert "Remote call to Modal Function (ta-" in finished.output
    assert 'raise Unheard("of")' in finished.output


def test_an_exception_of_a_users_own_class_is_caught_by_that_class(client, script):
    """Break: replace the pickled exception by its text."""
    app = script(
        "own.py",
        """
        import modal
        app = modal.App("own")

        class Refusal(Exception):
            def __init__(self, code):
                super().__init__(f"code {code}")
                self.code = code
            def __reduce__(self):
                return Refusal, (self.code,)

        @app.function()
        def refuse():
            raise Refusal(17)

        @app.local_entrypoint()
        def main():
            try:
                refuse.remote()
            except Refusal as refusal:
                print(f"caught {refusal.code}")
        """,
    )
    assert "caught 17" in client.modal("run", app).stdout


def test_an_error_of_one_input_of_a_map_leaves_the_others(client, deployed, script):
    """Break: end a map call at its first failed input."""
    results = client.sdk(
        """
        import modal
        echo = modal.Function.from_name("shared", "double")
        results = echo.map([1, None, 3], return_exceptions=True)
        answer([result if isinstance(result, int) else type(result).__name__ for result in results])
        """
    )
    assert results == [2, "TypeError", 6]


def test_a_container_goes_on_after_an_exception(client, script):
    """Break: stop a container whose input failed."""
    app = script(
        "again.py",
        """
        import os, modal
        app = modal.App("again")

        @app.function(max_containers=1)
        def work(fails):
            if fails:
                raise RuntimeError(os.environ["MODAL_TASK_ID"])
            return os.environ["MODAL_TASK_ID"]

        @app.local_entrypoint()
        def main():
            try:
                work.remote(True)
            except RuntimeError as error:
                print(f"same container {str(error) == work.remote(False)}")
        """,
    )
    assert "same container True" in client.modal("run", app).stdout


@pytest.mark.core
def test_a_missing_import_of_the_function_reaches_the_caller(client, script):
    """Break: drop what the runner reports by TaskResult, and start the container again."""
    app = script(
        "importer.py",
        """
        import modal
        app = modal.App("importer")

        if not modal.is_local():
            import a_module_that_nobody_has

        @app.function()
        def work():
            pass

        @app.local_entrypoint()
        def main():
            work.remote()
        """,
    )
    finished = client.modal("run", app, succeeds=False)
    assert finished.status == 1
    assert "No module named 'a_module_that_nobody_has'" in finished.output


def test_an_unpicklable_argument_is_refused_before_it_is_sent(client, deployed):
    """Break: hold the next FunctionMap of a client that made no call for a call that never comes."""
    answer = client.sdk(
        """
        import threading
        double = modal.Function.from_name("shared", "double")
        try:
            double.remote(threading.Lock())
        except Exception as error:
            answer([type(error).__name__, str(error), double.remote(4)])
        """
    )
    assert "pickle" in answer[1]
    assert answer[2] == 8


def test_an_unpicklable_result_is_an_error_that_names_it(client, script):
    """Break: drop an output whose result has a status but no data."""
    app = script(
        "unpicklable.py",
        """
        import modal
        app = modal.App("unpicklable")

        @app.function()
        def work():
            import threading
            return threading.Lock()

        @app.local_entrypoint()
        def main():
            work.remote()
        """,
    )
    finished = client.modal("run", app, succeeds=False)
    assert finished.status == 1
    assert "pickle" in finished.output and "lock" in finished.output
