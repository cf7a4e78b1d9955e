"""Classes: @modal.enter, @modal.exit, @modal.method, modal.parameter."""

import pytest

CLASS = """
    import os, time, modal
    app = modal.App("class")

    @app.cls(max_containers=1, scaledown_window=2)
    class Shop:
        name: str = modal.parameter()
        size: int = modal.parameter(default=3)

        @modal.enter()
        def open(self):
            self.visits = 0
            print(f"{self.name} opens")

        @modal.method()
        def visit(self, who):
            self.visits += 1
            return f"{self.name} {self.size} {who} {self.visits} {os.environ['MODAL_TASK_ID']}"

        @modal.method()
        def greet(self):
            return f"welcome to {self.name}"

        @modal.exit()
        def close(self):
            time.sleep(1)  # a container that is killed does not get over this
            print(f"{self.name} closes after {self.visits} visits")

    @app.local_entrypoint()
    def main():
        bakery, smithy = Shop(name="bakery"), Shop(name="smithy", size=7)
        for shop, who in [(bakery, "a"), (bakery, "b"), (smithy, "c")]:
            print(shop.visit.remote(who))
        print(bakery.greet.remote())
"""


@pytest.fixture(scope="module")
def visit(server, tmp_path_factory):
    """What one run of the class printed."""
    import textwrap

    from harness.client import Client

    folder = tmp_path_factory.mktemp("class")
    (folder / "shop.py").write_text(textwrap.dedent(CLASS))
    return Client(server.variables, folder).modal("run", folder / "shop.py")


def words(finished, start):
    return [line.split() for line in finished.stdout.splitlines() if line.startswith(start)]


@pytest.mark.core
def test_a_method_is_called_on_an_object_with_its_parameters(visit):
    """Break: leave serialized_params out of ContainerArguments."""
    assert [line[:3] for line in words(visit, "bakery 3")] == [["bakery", "3", "a"], ["bakery", "3", "b"]]
    assert [line[:3] for line in words(visit, "smithy 7")] == [["smithy", "7", "c"]]


def test_methods_of_one_class_are_told_apart(visit):
    """Break: leave method_name out of the inputs that a container is given."""
    assert "welcome to bakery" in visit.stdout


def test_each_set_of_parameters_has_containers_of_its_own(visit):
    """Break: answer FunctionBindParams with the id of the class itself."""
    bakery, smithy = words(visit, "bakery 3"), words(visit, "smithy 7")
    assert bakery[0][4] == bakery[1][4] != smithy[0][4]


def test_enter_runs_once_a_container_before_its_first_input(visit):
    """Break: give every input a container of its own."""
    assert [line[3] for line in words(visit, "bakery 3")] == ["1", "2"]
    assert visit.stdout.count("bakery opens") == 1


@pytest.mark.core
def test_exit_runs_before_a_container_ends_and_its_words_are_shown(visit):
    """Break: stop containers by SIGKILL at once."""
    assert "bakery closes after 2 visits" in visit.stdout
    assert "smithy closes after 1 visits" in visit.stdout


def test_exit_runs_when_a_deployed_class_scales_down(client, deploy):
    """Break: stop idle containers by SIGKILL."""
    name = deploy(CLASS)
    running = client.start_modal("app", "logs", "--follow", name)
    client.sdk(
        f"""
        Shop = modal.Cls.from_name('{name}', 'Shop')
        Shop(name="kiosk").visit.remote("x")
        """
    )
    running.wait_for_line("kiosk closes after 1 visits", within=30)
    running.kill()


@pytest.mark.core
def test_a_deployed_class_is_found_by_its_name(client, deployed):
    """Break: answer ClassGet without the methods of the class."""
    sums = client.sdk(
        """
        Counter = modal.Cls.from_name("shared", "Counter")
        ten, zero = Counter(start=10), Counter()
        answer([ten.add.remote(1), ten.add.remote(2), zero.add.remote(5)])
        """
    )
    assert sums[0] == 11 and sums[2] == 5
    assert sums[1] in (12, 13), "the second call may meet the other of two containers"


def test_an_unknown_method_is_an_error_of_the_client(client, deployed):
    """Break: answer FunctionGet of a class's service function without method_handle_metadata."""
    said = client.sdk(
        """
        Counter = modal.Cls.from_name("shared", "Counter")
        try:
            Counter().subtract.remote(1)
        except Exception as error:
            answer(str(error))
        """
    )
    assert "subtract" in said


def test_an_exception_in_enter_reaches_the_caller(client, script):
    """Break: take the end of a container that reported TaskResult for a crash."""
    app = script(
        "broken.py",
        """
        import modal
        app = modal.App("broken")

        @app.cls()
        class Broken:
            @modal.enter()
            def begin(self):
                raise RuntimeError("cannot begin")

            @modal.method()
            def work(self):
                return 1

        @app.local_entrypoint()
        def main():
            Broken().work.remote()
        """,
    )
    finished = client.modal("run", app, succeeds=False)
    assert finished.status == 1
    assert "cannot begin" in finished.output
