"""Images: debian_slim() made by recipe, build steps on top of it, and files added at start."""

import re
import uuid
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[1] / "docs/guide/images.md"

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
def test_packages_are_installed_into_the_image(client, script, tmp_path):
    """Break: answer that a build step is not served, or leave its layer out of the image."""
    script("wanted.txt", "six==1.17.0")
    script("pyproject.toml", '[project]\nname = "x"\nversion = "1"\ndependencies = ["iniconfig==2.0.0"]')
    app = script(
        "packages.py",
        """
        import modal
        image = (
            modal.Image.debian_slim()
            .apt_install("tree")
            .pip_install("tabulate==0.9.0")
            .pip_install_from_requirements("wanted.txt")
            .pip_install_from_pyproject("pyproject.toml")
            .uv_pip_install("pluggy==1.5.0")
            .run_commands("tree --version; echo %s")
        )
        app = modal.App("packages", image=image)

        with image.imports():
            import tabulate

        @app.function()
        def look():
            from importlib.metadata import version
            names = ("tabulate", "six", "iniconfig", "pluggy")
            return tabulate.tabulate([["x"]], tablefmt="plain"), *[version(name) for name in names]

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """
        % uuid.uuid4(),
    )
    finished = client.modal("run", app)
    assert repr(("x", "0.9.0", "1.17.0", "2.0.0", "1.5.0")) in finished.stdout
    assert "tree v" in finished.stdout, "the build log is shown"


@pytest.mark.core
def test_build_steps_see_what_was_set_and_given(client, script):
    """Break: leave secrets, or variables of the image, out of a build step's environment."""
    app = script(
        "steps.py",
        """
        import os, modal
        secret = modal.Secret.from_dict({"TOKEN": "of a secret"})
        image = (
            modal.Image.debian_slim()
            .env({"LASTING": "variable"})
            .workdir("/made/for/it")
            .run_commands("echo $TOKEN, $LASTING, $ONCE > seen", secrets=[secret], env={"ONCE": "for a step"})
            .dockerfile_commands(
                "ARG WHO=world",
                "ENV GREETING='hello '$WHO",
                'SHELL ["/bin/bash", "-c"]',
                "RUN [[ -n $GREETING ]] && echo $GREETING > greeting",
                "COPY <<END inline.txt\\nwritten in it\\nEND",
                "RUN <<END\\nset -e\\nhere=$(pwd)\\necho $here > here\\nEND",
                "RUN <<END\\n#!/usr/bin/env python\\nprint('from', 'python', file=open('script', 'w'))\\nEND",
            )
            .entrypoint(["/usr/bin/env", "ENTERED=yes"])
        )
        app = modal.App("steps", image=image)

        @app.function()
        def look():
            files = ["seen", "greeting", "inline.txt", "here", "script"]
            left = {name: os.environ.get(name) for name in ("TOKEN", "ONCE", "ENTERED")}
            return [open(file).read().strip() for file in files], left

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    said = client.modal("run", app).stdout
    files = ["of a secret, variable, for a step", "hello world", "written in it", "/made/for/it", "from python"]
    assert repr((files, {"TOKEN": None, "ONCE": None, "ENTERED": "yes"})) in said, said


@pytest.mark.core
def test_local_files_are_copied_into_layers(client, script):
    """Break: copy the first file of a context only, or through a link of the image as a folder."""
    script("data.txt", "some data")
    script("folder/deep/file.txt", "deep data")
    script("helper.py", "WORD = 'from a module'")
    app = script(
        "copies.py",
        """
        import modal
        image = (
            modal.Image.debian_slim()
            .add_local_file("data.txt", "/lib/renamed.txt", copy=True)  # /lib is a link
            .add_local_dir("folder", "/data", copy=True)
            .add_local_python_source("helper", copy=True)
            .run_commands("cat /lib/renamed.txt /data/deep/file.txt > /both", "test -e /lib/x86_64-linux-gnu")
        )
        app = modal.App("copies", image=image)

        @app.function()
        def look():
            import os, helper
            return open("/both").read(), os.path.islink("/lib"), helper.WORD

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    said = client.modal("run", app).stdout
    assert repr(("some datadeep data", True, "from a module")) in said, said


@pytest.mark.core
def test_a_dockerfile_of_several_stages(client, script):
    """Break: take the first stage for the image, or the files of a stage that was not named."""
    script(
        "Dockerfile",
        """
        # a comment
        ARG SERIES=3.11
        FROM python:${SERIES}-slim AS builder
        ARG WORD
        WORKDIR /build
        COPY src/*.txt ./
        RUN cat a.txt b.txt \\
            # between
            > both.txt && echo "$WORD" >> both.txt && chown 1000:1000 both.txt \\
            && ln -s both.txt link

        FROM builder AS unused
        RUN rm both.txt

        FROM python:${SERIES}-slim
        COPY --from=builder /build /result
        COPY --from=0 --chown=root:root --chmod=640 /build/both.txt /result/again/
        """,
    )
    script("src/a.txt", "a")
    script("src/b.txt", "b")
    app = script(
        "stages.py",
        """
        import modal
        image = modal.Image.from_dockerfile("Dockerfile", build_args={"WORD": "given"})
        app = modal.App("stages", image=image)

        @app.function()
        def look():
            import os
            facts = lambda path: (oct(os.stat(path).st_mode & 0o777), os.stat(path).st_uid)
            return (
                open("/result/link").read(), os.readlink("/result/link"),
                facts("/result/both.txt"), facts("/result/again/both.txt"),
                sorted(os.listdir("/result")),
            )

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    said = client.modal("run", app).stdout
    expected = (
        "abgiven\n", "both.txt", ("0o644", 1000), ("0o640", 0), ["a.txt", "again", "b.txt", "both.txt", "link"],
    )
    assert repr(expected) in said, said


@pytest.mark.core
def test_what_a_function_leaves_behind_is_a_layer(client, script):
    """Break: start the function's container without its secrets, or keep the runner in the layer."""
    app = script(
        "leaves.py",
        """
        import os, modal

        def download(name, times=1):
            with open("/" + name, "w") as file:
                file.write(os.environ["WORD"] * times)

        image = (
            modal.Image.debian_slim()
            .run_function(download, args=("model",), kwargs={"times": 2}, secrets=[modal.Secret.from_dict({"WORD": "w"})])
            .run_commands("test -f /model", "test ! -e /pkg", "test ! -e /__modal")
        )
        app = modal.App("leaves", image=image)

        @app.function()
        def look():
            return open("/model").read(), os.environ.get("WORD")

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    assert repr(("ww", None)) in client.modal("run", app).stdout


def test_a_function_that_makes_a_layer_calls_other_functions(client, script, deployed):
    """Break: refuse what the container of a build function asks of the server."""
    app = script(
        "calls.py",
        f"""
        import hashlib, os, modal

        def ask():
            find = lambda name: modal.Function.from_name("{deployed}", name)
            payload = os.urandom(3 << 20)
            answers = [
                find("double").remote(21),
                list(find("double").map([1, 2])),
                find("digest").remote(payload) == hashlib.sha256(payload).hexdigest(),
                len(find("produce").remote(3 << 20)),
            ]
            with open("/answers", "w") as file:
                file.write(repr(answers))
            return payload

        app = modal.App("calls")

        @app.function(image=modal.Image.debian_slim().run_function(ask))
        def look():
            return open("/answers").read()

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    assert repr([42, [2, 4], True, 3 << 20]) in client.modal("run", app).stdout


def test_a_function_that_fails_fails_the_build_with_what_it_said(client, script):
    """Break: keep the layer of a function that raised."""
    app = script(
        "raises.py",
        """
        import modal

        def download():
            raise ValueError("no such model")

        def sleep():
            import time
            time.sleep(60)

        app = modal.App("raises")

        @app.function(image=modal.Image.debian_slim().run_function(download))
        def raised():
            pass

        late = modal.App("late")

        @late.function(image=modal.Image.debian_slim().run_function(sleep, timeout=2))
        def never():
            pass
        """,
    )
    raised = client.modal("run", f"{app}::app.raised", succeeds=False)
    assert raised.status == 1 and "ValueError('no such model')" in raised.output, raised
    late = client.modal("run", f"{app}::late.never", succeeds=False)
    assert late.status == 1 and "within its timeout of 2 s" in late.output, late


def test_a_step_that_fails_shows_its_log_and_fails_the_run(client, script):
    """Break: keep the layer of a step whose command failed."""
    app = script(
        "fails.py",
        """
        import modal
        app = modal.App("fails", image=modal.Image.debian_slim().run_commands("echo said before; exit 7"))

        @app.function()
        def work():
            pass
        """,
    )
    for _ in range(2):
        finished = client.modal("run", f"{app}::work", succeeds=False)
        assert finished.status == 1
        assert "said before" in finished.output
        assert "The command 'echo said before; exit 7' returned a non-zero code: 7" in finished.output


STAMPED = """
    import modal
    image = modal.Image.debian_slim().run_commands(
        "sleep 2; cat /proc/sys/kernel/random/uuid > /stamp; echo {name}"{force}
    )
    app = modal.App("stamped", image=image)

    @app.function()
    def look():
        return open("/stamp").read().strip()

    @app.local_entrypoint()
    def main():
        print("stamp", look.remote())
"""


def stamp(finished):
    return next(line for line in finished.stdout.splitlines() if line.startswith("stamp "))


def test_one_content_is_built_once_however_many_ask(client, script):
    """Break: begin a build for each who asks."""
    app = script("once.py", STAMPED.format(name=uuid.uuid4(), force=""))
    runs = [client.start_modal("run", app) for _ in range(3)]
    finished = [run.finish() for run in runs]
    assert len({stamp(it) for it in finished}) == 1
    assert all("RUN sleep 2" in it.stdout for it in finished), "each of them sees the log"


def test_a_forced_build_is_a_new_one(client, script):
    """Break: use layers of earlier builds although a new one is asked for."""
    app = script("forced.py", STAMPED.format(name="forced", force=""))
    first = stamp(client.modal("run", app))
    assert stamp(client.modal("run", app)) == first
    script("forced.py", STAMPED.format(name="forced", force=", force_build=True"))
    second = stamp(client.modal("run", app))
    assert second != first
    script("forced.py", STAMPED.format(name="forced", force=""))
    assert stamp(client.modal("run", app)) == second


@pytest.mark.parametrize(
    "step, named",
    [
        ('dockerfile_commands("RUN --mount=type=ssh true")', "RUN --mount=type=ssh true"),
        ('dockerfile_commands("COPY --from=nobody /a /b")', "there is no stage 'nobody'"),
        ('dockerfile_commands("NONSENSE")', "NONSENSE"),
    ],
)
def test_a_build_step_that_is_not_served_is_refused_by_name(client, script, step, named):
    """Break: build an image without the steps that are not served."""
    app = script(
        "refused.py",
        f"""
        import modal
        app = modal.App("refused", image=modal.Image.debian_slim().{step})

        @app.function()
        def work():
            pass
        """,
    )
    finished = client.modal("run", f"{app}::work", succeeds=False)
    assert finished.status == 1
    assert named in finished.output and "not serve" in finished.output, finished


def test_a_registry_that_does_not_answer_is_named_and_what_needs_none(client, script):
    """Break: say of a base image that can't be had only that the build failed."""
    app = script(
        "nowhere.py",
        """
        import modal
        app = modal.App("nowhere", image=modal.Image.from_registry("127.0.0.1:1/python:3.12-slim"))

        @app.function()
        def work():
            pass
        """,
    )
    finished = client.modal("run", f"{app}::work", succeeds=False)
    assert finished.status == 1
    assert "127.0.0.1:1" in finished.output
    assert "makes images with Python 3.11 and 3.13" in finished.output


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


def test_the_snippets_of_the_guide_run_as_they_stand(client, script):
    """Break: answer UNIMPLEMENTED to a build step that the guide shows."""
    blocks = re.findall(r"^```(python|console) ?(\S*)\n(.*?)^```", GUIDE.read_text(), re.M | re.S)
    assert [kind for kind, _, _ in blocks] == [*["python", "console"] * 3, "python"]
    for kind, name, text in blocks:
        if name == "publish.py":
            client.sdk(text)
        elif kind == "python":
            script(name, text)
        else:
            command, shown = text.split("\n", 1)
            assert shown.strip() in client.modal(*command.removeprefix("$ modal ").split()).stdout
