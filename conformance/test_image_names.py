"""Names of images: published, found, run, built upon, listed and deleted."""

import uuid

import pytest
from modal_proto import api_pb2

from harness import wire
from harness.client import Client

# Clients before 1.6 have no `modal image build` and no `modal image names delete`.
since_1_6 = pytest.mark.skipif(
    not hasattr(api_pb2, "ImageNameDeleteRequest"), reason="a command that this client does not have"
)

PUBLISH = """
    with modal.App("publisher").run() as app:
        image = modal.Image.debian_slim().env({{"WORD": {word!r}}}).build(app)
    for name in {names!r}:
        image.publish(name)
    answer(image.object_id)
"""


def publish(client, word, *names):
    """Publishes an image with a word in its environment; gives its id."""
    return client.sdk(PUBLISH.format(word=word, names=names))


@pytest.fixture(scope="module")
def image(server, tmp_path_factory):
    """The id of an image that is built, with WORD=first; published as first:kept."""
    return publish(Client(server.variables, tmp_path_factory.mktemp("first")), "first", "first:kept")


@pytest.fixture
def name(server):
    """A name without a tag; all that is published under it is deleted after the test."""
    name = f"image-{uuid.uuid4().hex[:8]}"
    yield name
    answer = wire.call(server, "ImageListTags", api_pb2.ImageListTagsRequest(tag_prefix=name))
    for item in api_pb2.ImageListTagsResponse.FromString(answer.body).items:
        # The only field of its request, which clients before 1.6 don't know, is this one's first.
        wire.call(server, "ImageNameDelete", api_pb2.ImageGetByTagRequest(tag=item.tag))


def tagged(image, name, **more):
    return api_pb2.ImagePublishRequest(image_id=image, tag=name, **more)


def found(server, name):
    answer = wire.call(server, "ImageGetByTag", api_pb2.ImageGetByTagRequest(tag=name))
    return answer, api_pb2.ImageGetByTagResponse.FromString(answer.body).image_id


def test_a_name_stays_with_what_was_published_when_that_is_built_anew(client, server, script, name):
    """Break: build anew under the id that the name leads to."""
    tag = f"{name}:v1"
    steps = f'"cat /proc/sys/kernel/random/uuid > /stamp; echo {name}"'
    published = client.sdk(
        f"""
        app = modal.App.lookup("publisher", create_if_missing=True)
        image = modal.Image.debian_slim().run_commands({steps}).build(app)
        image.publish("{tag}")
        answer(image.object_id)
        """
    )
    app = script(
        "again.py",
        f"""
        import modal
        app = modal.App("again")

        @app.function(image=modal.Image.from_name("{tag}"))
        def named():
            return open("/stamp").read()

        @app.function(image=modal.Image.debian_slim().run_commands({steps}, force_build=True))
        def anew():
            return open("/stamp").read()

        @app.local_entrypoint()
        def main():
            print("the same:", named.remote() == anew.remote())
        """,
    )
    assert "the same: False" in client.modal("run", app).stdout
    assert found(server, tag)[1] == published


@pytest.mark.core
def test_a_published_image_is_run_and_built_upon_by_its_name(client, script, image):
    """Break: answer ImageGetByTag with another image than was published."""
    app = script(
        "named.py",
        """
        import os, modal
        named = modal.Image.from_name("first:kept")
        app = modal.App("named", image=named)

        @app.function()
        def plain():
            return os.environ["WORD"]

        @app.function(image=named.run_commands("echo $WORD, and more > /upon"))
        def upon():
            return open("/upon").read().strip()

        @app.local_entrypoint()
        def main():
            print([plain.remote(), upon.remote()])
        """,
    )
    assert "['first', 'first, and more']" in client.modal("run", app).stdout


def test_a_name_stands_for_what_was_published_last_and_has_a_history(client, server, image, name):
    """Break: leave a name with the first image that was published under it."""
    assert wire.call(server, "ImagePublish", tagged(image, name)).status == "OK"
    second = publish(client, "second", name)
    assert found(server, name)[1] == second != image
    history = client.modal("image", "names", "history", name, "--json").json
    assert [revision["image_id"] for revision in history] == [second, image]
    assert all(revision["published_at"] != "-" for revision in history)
    assert {revision["published_by"] for revision in history} == {server.variables["MODAL_TOKEN_ID"]}


def test_a_repeated_request_publishes_once(server, image, name):
    """Break: make the id of a revision from the clock."""
    request, key = tagged(image, name), uuid.uuid4().hex
    answers = [wire.call(server, "ImagePublish", request, key=key) for _ in range(2)]
    assert answers[0].status == "OK" and answers[0].body == answers[1].body
    answer = wire.call(server, "ImageTagRevisions", api_pb2.ImageTagRevisionsRequest(tag=name))
    revisions = api_pb2.ImageTagRevisionsResponse.FromString(answer.body).items
    made = api_pb2.ImagePublishResponse.FromString(answers[0].body)
    assert [revision.revision_id for revision in revisions] == [made.revision_id]


@since_1_6
def test_a_name_is_built_listed_and_deleted_on_the_command_line(client, script, name):
    """Break: list names without regard to the prefix, or keep one that was deleted."""
    script("context/Dockerfile", "FROM python:3.11-slim\nCOPY word.txt /word.txt\n")
    script("context/word.txt", "from a Dockerfile")
    built = client.modal("image", "build", "-t", f"{name}:v1", "context")
    assert f"Image published as {name}:v1" in built.output

    (listed,) = client.modal("image", "names", "list", "--prefix", name, "--json").json
    assert listed["tag"] == f"{name}:v1" and listed["image_id"] in built.output
    table = client.modal("image", "names", "list", "--prefix", f"{name}:").output
    assert "Named Images in environment 'main'" in table and "Showing 1 result" in table

    app = script(
        "reads.py",
        f"""
        import modal
        app = modal.App("reads", image=modal.Image.from_name("{name}:v1"))

        @app.function()
        def read():
            return open("/word.txt").read()

        @app.local_entrypoint()
        def main():
            print(read.remote())
        """,
    )
    assert "from a Dockerfile" in client.modal("run", app).stdout

    client.modal("image", "names", "delete", "--yes", f"{name}:v1")
    assert client.modal("image", "names", "list", "--prefix", name, "--json").json == []
    again = client.modal("image", "names", "delete", "--yes", f"{name}:v1", succeeds=False)
    history = client.modal("image", "names", "history", f"{name}:v1", succeeds=False)
    assert f"No image is published as '{name}:v1' in environment 'main'" in again.output
    assert "No publishing history found" in history.output


def test_names_are_listed_page_by_page(server, image, name):
    """Break: begin each page of names with the first."""
    for tag in ("c", "a", "b"):
        assert wire.call(server, "ImagePublish", tagged(image, f"{name}:{tag}")).status == "OK"
    seen, page_token = [], ""
    for _ in range(2):
        request = api_pb2.ImageListTagsRequest(tag_prefix=name, max_objects=2, page_token=page_token)
        answer = wire.call(server, "ImageListTags", request)
        page = api_pb2.ImageListTagsResponse.FromString(answer.body)
        seen.append([item.tag for item in page.items])
        page_token = page.next_page_token
    assert seen == [[f"{name}:a", f"{name}:b"], [f"{name}:c"]] and page_token == ""


def test_names_of_two_environments_are_two(client, server, image, name):
    """Break: leave the environment out of a name's id."""
    other = client.sdk(
        f"""
        modal.Environment.from_name("names-of-another", create_if_missing=True).hydrate()
        with modal.App("publisher").run() as app:
            image = modal.Image.debian_slim().env({{"WORD": "other"}}).build(app)
        image.publish("{name}", environment_name="names-of-another")
        answer(image.object_id)
        """
    )
    answer, _ = found(server, name)
    assert answer.status == "NOT_FOUND" and f"'{name}:latest' in environment 'main'" in answer.message
    assert wire.call(server, "ImagePublish", tagged(image, f"main/{name}")).status == "OK"
    assert found(server, f"main/{name}")[1] == image
    assert found(server, f"names-of-another/{name}")[1] == other != image


@since_1_6
def test_a_deployed_function_outlives_the_name_of_its_image(client, server, deploy, name):
    """Break: delete the image with its name, or lose names at a restart."""
    publish(client, "second", name, f"{name}:stays")
    app = deploy(
        f"""
        import os, modal
        app = modal.App("outlives", image=modal.Image.from_name("{name}"))

        @app.function()
        def word():
            return os.environ["WORD"]
        """
    )
    client.modal("image", "names", "delete", "--yes", f"{name}:latest")
    server.restart()
    listed = client.modal("image", "names", "list", "--prefix", name, "--json").json
    assert [item["tag"] for item in listed] == [f"{name}:stays"]
    assert client.sdk(f"answer(modal.Function.from_name('{app}', 'word').remote())") == "second"


def test_an_unknown_name_is_not_found(client):
    """Break: answer a look-up of an unknown name with an image that has no id."""
    said = client.sdk(
        """
        app = modal.App("unknown")
        app.function(serialized=True, image=modal.Image.from_name("nobody-published:this"))(len)
        try:
            with app.run():
                pass
        except modal.exception.NotFoundError as missing:
            answer(str(missing))
        """
    )
    assert said == "No image is published as 'nobody-published:this' in environment 'main'."


@pytest.mark.parametrize(
    "change, status, said",
    [
        ({"image_id": "im-0000000000000000000000"}, "NOT_FOUND", "does not exist"),
        ({"tag": "no name"}, "INVALID_ARGUMENT", "'no name' can't be the name of an image"),
        ({"tag": "im-123:latest"}, "INVALID_ARGUMENT", "can't begin with 'im-'"),
        ({"tag": "nowhere-to-be-found/x"}, "NOT_FOUND", "Environment 'nowhere-to-be-found'"),
        ({"allow_public": True}, "UNIMPLEMENTED", "public"),
    ],
    ids=["unknown image", "a space", "an image's id", "unknown environment", "public"],
)
def test_what_can_not_be_published_is_refused_with_a_reason(server, image, name, change, status, said):
    """Break: publish whatever comes under whatever name."""
    request = tagged(image, name)
    request.MergeFrom(api_pb2.ImagePublishRequest(**change))
    answer = wire.call(server, "ImagePublish", request)
    assert answer.status == status and said in answer.message, answer


def test_an_image_whose_build_failed_is_not_published(client, server, name):
    """Break: publish an image as soon as its id is known."""
    failed = client.sdk(
        """
        image = modal.Image.debian_slim().run_commands("exit 3 # not to be published")
        try:
            with modal.App("publisher").run() as app:
                image.build(app)
        except Exception as failure:
            answer(str(failure))
        """
    )
    image = next(word for word in failed.split() if word.startswith("im-"))
    answer = wire.call(server, "ImagePublish", tagged(image, name))
    assert answer.status == "FAILED_PRECONDITION" and f"'{image}' failed" in answer.message
