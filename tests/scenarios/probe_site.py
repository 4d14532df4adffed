"""A site whose pages do all that a page can do to a transaction, and to the world around it."""

from pathlib import Path

from tests.scenarios.sites import Project

SETTINGS = """
AUTH_USER_MODEL = "shop.Member"
ROOT_URLCONF = "shop.urls"
ALLOWED_HOSTS = ["shop.example"]
MIDDLEWARE = [
    "shop.middleware.counts_requests",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {
        "items.html": "<ul>\\n{% for item in items %}<li>{{ item.name }}</li>{% endfor %}\\n</ul>",
    })]},
}]
MARK = os.path.abspath(__file__)
LOGGING = {
    "version": 1,
    "handlers": {"file": {"class": "logging.FileHandler", "filename": "site.log", "delay": True}},
    "loggers": {"shop": {"handlers": ["file"]}},
}
MEDIA_ROOT = os.environ.get("SITE_MEDIA", "")
DATABASES["default"]["ATOMIC_REQUESTS"] = "SITE_ATOMIC" in os.environ
DATABASES["again"] = {**DATABASES["default"]}
DATABASES["other"] = {**DATABASES["default"], "NAME": os.environ.get("SITE_OTHER", "postgres")}
DATABASES["lite"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
CASCADE = {"PROBES": [
    {"path": path, **more} for path, more in json.loads(os.environ.get("SITE_PROBES", "[]"))
]}
"""

MODELS = """
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class Members(BaseUserManager):
    def create_user(self, email, password=None, **more):
        member = self.model(email=self.normalize_email(email), **more)
        member.set_password(password)
        member.save()
        return member

    def create_superuser(self, email, password=None, **more):
        return self.create_user(email, password, is_superuser=True, **more)


class Member(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    born = models.DateField()
    objects = Members()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["born"]


class Item(models.Model):
    name = models.CharField(max_length=20, unique=True)
    picture = models.FileField(upload_to="pictures", blank=True)

    def get_absolute_url(self):
        return f"/items/{self.pk}/"


class Order(models.Model):
    item = models.ForeignKey(Item, models.CASCADE)
"""

MIDDLEWARE = """
def counts_requests(get_response):
    from .models import Item

    def middleware(request):
        Item.objects.count()
        return get_response(request)

    return middleware
"""

USERS = """
import sys

from .models import Member


def made():
    return Member.objects.create_user("made@example.invalid", born="2001-01-01")


def broken():
    raise LookupError("secret 4711")


def leaves():
    sys.exit(0)


def nobody():
    return 7
"""

VIEWS = """
import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.mail import send_mail
from django.db import DatabaseError, connection, connections, transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from psycopg.types.json import Jsonb

from .models import Item, Order

OK = "fine"


def works(request):
    Item.objects.create(name="new")
    return HttpResponse(OK)


def one_item(request, pk):
    return HttpResponse(Item.objects.get(pk=pk).name)


def lists(request):
    return render(request, "items.html", {"items": Item.objects.all()})


def missing_table_in_template(request):
    return render(request, "items.html", {"items": Item.objects.raw("SELECT * FROM shop_nothing")})


def commits(request):
    Item.objects.create(name="committed")
    with connection.cursor() as cursor:
        cursor.execute("/* now */ COMMIT")
    return HttpResponse(OK)


def commits_beneath(request):
    Item.objects.create(name="committed beneath")
    connection.connection.cursor().execute("INSERT INTO shop_item (name, picture) VALUES ('with it', ''); COMMIT")
    return HttpResponse(OK)


def commits_by_the_driver(request):
    Item.objects.create(name="by the driver")
    try:
        connection.connection.commit()
    except Exception:
        pass
    Item.objects.create(name="and after it")
    return HttpResponse(OK)


def rolls_back_by_the_driver(request):
    connection.connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop_item (name, picture) VALUES ('after the rollback', '')")
    return HttpResponse(OK)


def swallows(request):
    try:
        list(Item.objects.raw("SELECT * FROM shop_nothing"))
    except DatabaseError:
        pass
    Item.objects.create(name="after the error")
    try:
        Item.objects.create(name="after the error")
    except DatabaseError:
        pass
    return HttpResponse(Item.objects.count())


def spoils(request):
    with transaction.atomic():
        try:
            list(Item.objects.raw("SELECT * FROM shop_nothing"))
        except DatabaseError:
            pass
        Item.objects.count()
    return HttpResponse(OK)


def rolls_back(request):
    try:
        with transaction.atomic(durable=True):
            Item.objects.create(name="rolled back")
            transaction.on_commit(never)
            raise Http404
    except Http404:
        pass
    with transaction.atomic(durable=True):
        transaction.on_commit(afterwards)
    transaction.on_commit(afterwards)
    assert not Item.objects.filter(name="rolled back").exists()
    return HttpResponse(OK)


def afterwards():
    raise AssertionError("it ran")


never = afterwards


def refers_to_nothing(request):
    Order.objects.create(item_id=-1)
    return HttpResponse(OK)


def refers_to_nothing_in_a_transaction(request):
    with transaction.atomic():
        Order.objects.create(item_id=-1)
    return HttpResponse(OK)


def checks_constraints(request):
    with transaction.atomic():
        connection.check_constraints()
    Item.objects.create(name="checked")
    return HttpResponse(OK)


def second_connection(request):
    import psycopg

    psycopg.connect(**connection.get_connection_params())
    return HttpResponse(OK)


def thread(request):
    def work():
        Item.objects.create(name="from a thread")

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    return HttpResponse(OK)


def calls(request):
    urllib.request.urlopen("http://192.0.2.1:8000/")


def looks_up(request):
    try:
        urllib.request.urlopen("http://api.example.com/")
    except OSError:
        pass
    return HttpResponse(OK)


def program(request):
    subprocess.run(["true"])
    return HttpResponse(OK)


def streams(request):
    return StreamingHttpResponse(item.name for item in Item.objects.raw("SELECT * FROM shop_nothing"))


def iterates(request):
    return HttpResponse(sum(1 for _ in Item.objects.iterator()))


async def asynchronous(request):
    item = await Item.objects.acreate(name="async")
    return HttpResponse(item.name)


async def asynchronous_stream(request):
    async def pieces():
        async for item in Item.objects.all():
            yield item.name

    return StreamingHttpResponse(pieces())


def hangs(request):
    try:
        time.sleep(60)
    except Exception:
        pass


async def hangs_asynchronously(request):
    await asyncio.sleep(60)


def asks_while_a_value_is_worded(request):
    def worded(value):
        return str(Item.objects.count())

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [Jsonb({}, dumps=worded)])


def slow_statement(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")


def raises(request):
    return {}["secret 4711"]


def mails(request):
    send_mail("a", "b", "shop@example.invalid", ["you@example.invalid"])
    cache.set("key", 1)
    item = Item.objects.create(name="picture")
    item.picture.save("a.txt", ContentFile(b"abc"))
    return HttpResponse(item.picture.read())


def several(request):
    connections["again"].cursor().execute("SELECT 1")
    with connections["other"].cursor() as cursor:
        cursor.execute("CREATE TABLE left_behind (a int)")
    Item.objects.using("again").create(name="the same")
    assert Item.objects.filter(name="the same").exists()
    return HttpResponse(OK)


def lite(request):
    connections["lite"].cursor().execute("SELECT 1")


def copies(request):
    with connection.cursor() as cursor:
        with cursor.copy("COPY shop_item (name, picture) FROM STDIN") as copying:
            copying.write_row(("copied", ""))
        try:
            with cursor.copy("COPY shop_nothing FROM STDIN") as copying:
                copying.write_row(("copied",))
        except Exception:
            pass
        cursor.execute("SELECT count(*) FROM shop_item WHERE name = 'copied'")
        assert cursor.fetchone() == (1,)
    return HttpResponse(OK)


def calls_its_neighbour(request):
    host = connection.settings_dict["HOST"]
    urllib.request.urlopen(f"http://{host}:9/")


def exits(request):
    raise SystemExit(0)


async def exits_asynchronously(request):
    raise SystemExit(0)


def exits_after_an_error(request):
    try:
        list(Item.objects.raw("SELECT * FROM shop_nothing"))
    except DatabaseError:
        sys.exit(3)


def interrupts(request):
    raise KeyboardInterrupt


def ends_the_process(request):
    os._exit(0)


def becomes_another(request):
    os.execv("/bin/true", ["true"])


def forks(request):
    if os.fork() == 0:
        os._exit(0)


def spawns(request):
    os.posix_spawn("/bin/true", ["true"], {})


def kills(request):
    os.kill(os.getpid(), 9)


def writes_a_file(request):
    with open(os.path.join(settings.MEDIA_ROOT, "written.txt"), "a") as file:
        file.write("x")
    return HttpResponse(OK)


def writes_a_file_beneath(request):
    try:
        os.open(os.path.join(settings.MEDIA_ROOT, "beneath.txt"), os.O_CREAT | os.O_RDWR)
    except OSError:
        pass
    return HttpResponse(OK)


def makes_a_folder(request):
    os.makedirs(os.path.join(settings.MEDIA_ROOT, "made", "anew"))


def renames_a_file(request):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        pass
    os.rename(file.name, os.path.join(settings.MEDIA_ROOT, "renamed.txt"))


def removes_a_file(request):
    os.remove(settings.MARK)


def writes_sqlite(request):
    sqlite3.connect(os.path.join(settings.MEDIA_ROOT, "written.db"))


def writes_for_a_moment(request):
    Item.objects.count()
    with tempfile.NamedTemporaryFile("w") as file, tempfile.TemporaryFile() as nameless:
        file.write("x")
        nameless.write(b"x")
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "a", "b"))
        with open(os.path.join(folder, "a", "b", "c"), "x"):
            pass
    tempfile.mkstemp()
    os.makedirs(os.path.dirname(settings.MARK), exist_ok=True)
    sqlite3.connect(":memory:")
    with open(os.devnull, "w") as file:
        file.write("x")
    with open(settings.MARK) as file:
        return HttpResponse(file.read())


def logs(request):
    Item.objects.count()
    logging.getLogger("shop").error("a line")
    return HttpResponse(OK)


def vacuums(request):
    with connection.cursor() as cursor:
        cursor.execute("VACUUM shop_item")


def who(request):
    return HttpResponse(status=200 if request.user.is_authenticated else 401)


def members_only(request):
    if not request.user.is_authenticated or "staff" in request.GET:
        return redirect_to_login("/members_only/")
    return HttpResponse(OK)


def misspells(request):
    return HttpResponse(Item.objects.nothing())


def posts(request):
    right = request.method == "POST" and request.POST["a"] == "1" and request.headers["X-B"] == "2"
    return HttpResponse(status=201 if right else 400)
"""

URLS = """
from django.urls import path

from . import views

urlpatterns = [
    path("items/<int:pk>/", views.one_item),
    *(
        path(f"{name}/", view)
        for name, view in vars(views).items()
        if getattr(view, "__module__", "") == views.__name__ and name not in ("one_item", "afterwards", "never")
    ),
]
"""


def probe_site_project(folder: Path) -> Project:
    """The project; what it declares as probes is in ``SITE_PROBES``, as JSON: pairs of path and what else."""
    return Project(
        folder,
        ("django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "shop"),
        "import json\n" + SETTINGS,
        {
            "shop/models.py": MODELS,
            "shop/middleware.py": MIDDLEWARE,
            "shop/users.py": USERS,
            "shop/views.py": VIEWS,
            "shop/urls.py": URLS,
        },
    )
