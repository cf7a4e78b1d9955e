"""Images: debian_slim() made by recipe, what is set on top of it, and files added at start."""

import pytest

# Making the base image of the other Python version takes minutes, once for a data directory.
FIRST_IMAGE = 900


@pytest.mark.timeout(FIRST_IMAGE + 60)
@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_debian_slim_has_the_python_that_was_asked_for(client, script, version):
    """Break: make every base image of the same Debian release."""
    app = script(
        "slim.py",
        f"""
        import sys, modal
        app = modal.App("slim", image=modal.Image.debian_slim(python_version="{version}"))

        @app.function()
        def look():
            import pathlib, shutil, subprocess
            tools = [shutil.which(tool) is not None for tool in ("gcc", "gfortran", "pip", "uv")]
            pip = subprocess.run(["pip", "--version"], capture_output=True, text=True).stdout
            return sys.version_info[:2], tools, pip.split()[-1], pathlib.Path("/etc/debian_version").exists()

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    major, minor = version.split(".")
    expected = f"(({major}, {minor}), [True, True, True, True], '{version})', True)"
    assert expected in client.modal("run", app, within=FIRST_IMAGE).stdout


@pytest.mark.core
def test_a_python_that_is_not_served_is_refused_with_those_that_are(client, script):
    """Break: take the next Python version that there is."""
    app = script(
        "old.py",
        """
        import modal
        app = modal.App("old", image=modal.Image.debian_slim(python_version="3.12"))

        @app.function()
        def work():
            pass
        """,
    )
    finished = client.modal("run", f"{app}::work", succeeds=False)
    assert finished.status == 1
    assert "Python 3.12 are not served yet" in finished.output
    assert "Python 3.11 and 3.13" in finished.output


@pytest.mark.core
@pytest.mark.parametrize(
    "step, named",
    [
        ('pip_install("tabulate")', "RUN python -m pip install tabulate"),
        ('apt_install("git")', "RUN apt-get update"),
        ('run_commands("true")', "RUN true"),
        ('dockerfile_commands(["SHELL [\\"/bin/bash\\"]"])', "SHELL"),
        ('add_local_python_source("json", copy=True)', "copy=True"),
    ],
)
def test_a_build_step_that_is_not_served_is_refused_by_name(client, script, step, named):
    """Break: build an image without the steps that are not served."""
    app = script(
        "steps.py",
        f"""
        import modal
        app = modal.App("steps", image=modal.Image.debian_slim().{step})

        @app.function()
        def work():
            pass
        """,
    )
    finished = client.modal("run", f"{app}::work", succeeds=False)
    assert finished.status == 1
    assert named in finished.output and "not served yet" in finished.output, finished


def test_another_base_image_is_refused_with_what_there_is(client, script):
    """Break: take python:3.11-slim for any base image."""
    app = script(
        "ubuntu.py",
        """
        import modal
        app = modal.App("ubuntu", image=modal.Image.from_registry("ubuntu:24.04"))

        @app.function()
        def work():
            pass
        """,
    )
    finished = client.modal("run", f"{app}::work", succeeds=False)
    assert finished.status == 1
    assert "'ubuntu:24.04' is not served yet" in finished.output


@pytest.mark.core
def test_variables_and_folder_of_an_image_are_those_of_its_functions(client, script):
    """Break: leave WORKDIR out of the process's cwd, or ENV out of its environment."""
    app = script(
        "settings.py",
        """
        import os, modal
        image = (
            modal.Image.debian_slim()
            .env({"PLAIN": "1", "QUOTED": "it's \\"so\\" $HOME", "EMPTY": ""})
            .env({"PLAIN": "2"})
            .workdir("/srv/work")
        )
        app = modal.App("settings", image=image)

        @app.function()
        def look():
            return os.getcwd(), os.environ["PLAIN"], os.environ["QUOTED"], os.environ["EMPTY"]

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    expected = repr(("/srv/work", "2", 'it\'s "so" $HOME', ""))
    assert expected in client.modal("run", app).stdout


@pytest.mark.core
def test_local_files_folders_and_modules_are_in_the_container(client, script, tmp_path):
    """Break: give a container only the first of its mounts."""
    script("data.txt", "some data")
    script("folder/a/deep.txt", "deep data")
    script("folder/other.txt", "other data")
    script("folder/ignored.pyc", "ignored")
    script("helper/__init__.py", "from .inner import WORD")
    script("helper/inner.py", "WORD = 'from a module'")
    app = script(
        "files.py",
        """
        import modal
        image = (
            modal.Image.debian_slim()
            .add_local_file("data.txt", "/data/renamed.txt")
            .add_local_dir("folder", "/data/folder", ignore=["*.pyc"])
            .add_local_python_source("helper")
        )
        app = modal.App("files", image=image)

        @app.function()
        def look():
            import pathlib
            import helper
            data = pathlib.Path("/data")
            return helper.WORD, {
                str(file.relative_to(data)): file.read_text().strip()
                for file in sorted(data.rglob("*")) if file.is_file()
            }

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    files = {
        "folder/a/deep.txt": "deep data",
        "folder/other.txt": "other data",
        "renamed.txt": "some data",
    }
    assert repr(("from a module", files)) in client.modal("run", app).stdout


def test_a_changed_local_file_is_seen_by_the_next_run(client, script):
    """Break: cache mounts by their file names."""
    source = """
        import modal
        image = modal.Image.debian_slim().add_local_file("data.txt", "/data.txt")
        app = modal.App("changes", image=image)

        @app.function()
        def look():
            return open("/data.txt").read().strip()

        @app.local_entrypoint()
        def main():
            print("the file says", look.remote())
    """
    app = script("changes.py", source)
    for word in ("before", "after"):
        script("data.txt", word)
        assert f"the file says {word}" in client.modal("run", app).stdout


def test_a_local_file_of_many_megabytes_is_in_the_container(client, script, tmp_path):
    """Break: refuse or shorten a mount's file that comes by way of a blob."""
    (tmp_path / "big.bin").write_bytes(bytes(range(256)) * (6 << 12))
    app = script(
        "big.py",
        """
        import modal
        image = modal.Image.debian_slim().add_local_file("big.bin", "/big.bin")
        app = modal.App("big", image=image)

        @app.function()
        def look():
            content = open("/big.bin", "rb").read()
            return len(content), content == bytes(range(256)) * (6 << 12)

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    assert f"({6 << 20}, True)" in client.modal("run", app).stdout


def test_what_a_container_writes_is_gone_with_it(client, script):
    """Break: let containers write into the image's own layer."""
    app = script(
        "writer.py",
        """
        import pathlib, modal
        app = modal.App("writer")

        @app.function(single_use_containers=True)
        def write():
            file = pathlib.Path("/usr/local/left-behind")
            seen = file.exists()
            file.write_text("x")
            return seen

        @app.local_entrypoint()
        def main():
            print("seen", write.remote(), write.remote())
        """,
    )
    assert "seen False False" in client.modal("run", app).stdout
