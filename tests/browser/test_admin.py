"""The login to the admin in a real browser, under the strict policy: nothing is blocked or asked elsewhere."""

from base64 import b32decode

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor
from tests.phone import code_of
from tests.site import RunningSite

PASSWORD = "correct horse battery"
MAKE_ACCOUNT = (
    "from django.contrib.auth.models import User; "
    f"User.objects.create_superuser('organisatrice', password='{PASSWORD}')"
)
PAGES = [
    "/admin/",
    "/admin/registrations/event/1/change/",
    "/admin/registrations/registration/",
    "/admin/registrations/registration/add/",
    "/admin/registrations/delivery/",
    "/admin/registrations/auditentry/",
    "/admin/auth/user/",
    "/admin/auth/user/1/change/",
    "/admin/password_change/",
]


def test_a_first_login_sets_up_the_phone_and_every_page_of_the_admin_opens(
    browser: Browser, site: RunningSite
) -> None:
    site.run("shell", "--verbosity", "0", "-c", MAKE_ACCOUNT)
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    context = browser.new_context(viewport={"width": 320, "height": 800})
    visitor = Visitor(context, site)
    page = visitor.open("/admin/")
    page.locator("#id_username").fill("organisatrice")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()

    expect(page.get_by_role("heading", level=1).last).to_have_text("Protégez votre compte avec votre téléphone")
    drawing = page.locator("svg.qr-code")
    expect(drawing).to_be_visible()
    box = drawing.bounding_box()
    assert box is not None
    assert box["width"] > 200
    assert drawing.evaluate("it => it.viewBox.baseVal.width === it.getBBox().width")  # nothing of it is cut off
    assert visitor.fits_its_window()
    page.get_by_label("Code").fill(code_of(b32decode(page.locator("code.key").inner_text()).hex()))
    page.get_by_role("button", name="Continuer").click()

    expect(page.locator(".codes li")).to_have_count(10)
    assert visitor.fits_its_window()
    page.get_by_role("link", name="Je les ai conservés").click()
    for path in PAGES:
        page = visitor.open(path)
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
    context.close()
    complaints = [words for words in visitor.complaints if not words.startswith("[DOM]")]  # advice on a stock form
    assert (complaints, visitor.elsewhere) == ([], [])


WAITING = """
from django.contrib.auth.models import User
from registrations.models import *
from registrations.worker import jobs
event = Event.objects.get()
Registration.objects.create(event=event, first_name="Zoë", last_name="N", email="n@example.org", organisation="V")
me = User.objects.create_superuser("organisatrice", password="{password}")
job = jobs.enqueue(Job(kind="people", title="Renvoyer la confirmation", event=event, asked_by=me.pk, total=1,
    permission="registrations.change_registration",
    parameters={{"deed": "send_again", "people": list(Registration.objects.values_list("pk", flat=True))}}))
print(job.pk)
"""


def test_a_long_act_is_followed_to_its_end_without_a_page_that_jumps(browser: Browser, site: RunningSite) -> None:
    """No page is loaded anew: the keyboard's place stays, and a screen reader is told the end."""
    job = site.run("shell", "--verbosity", "0", "-c", WAITING.format(password=PASSWORD)).strip()
    site.env["STAFF_OTP"] = "off"
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    context = browser.new_context()
    visitor = Visitor(context, site)
    page = visitor.open(f"/admin/registrations/job/{job}/change/")
    page.locator("#id_username").fill("organisatrice")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    expect(page.get_by_role("status")).to_contain_text("En attente")
    page.evaluate("window.same = true")
    page.get_by_role("button", name="Les inscriptions").focus()

    site.start("worker")
    expect(page.get_by_role("status")).to_have_text("Terminée")
    expect(page.locator("#job-figures")).to_contain_text("1 courriel est en route.")
    assert page.evaluate("window.same")
    expect(page.get_by_role("button", name="Les inscriptions")).to_be_focused()
    expect(page.get_by_role("button", name="Actualiser")).to_have_count(0)
    context.close()
    assert (visitor.complaints, visitor.elsewhere) == ([], [])
