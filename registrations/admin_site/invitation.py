"""The page of the link in an invitation: a password is chosen, then the second factor is set up."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import login
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from registrations.models import Invitation
from registrations.models.invitation_link import tokens

BACKEND = "django.contrib.auth.backends.ModelBackend"


class InvitationView(PasswordResetConfirmView):
    """Django keeps the token in the session, so that the address of the page with the form says nothing."""

    template_name = "admin/invitation.html"
    token_generator = tokens
    success_url = reverse_lazy("admin:set_up")
    reset_url_token = "password"  # noqa: S105 - stands in the address in place of the token

    def form_valid(self, form: Any) -> HttpResponse:
        account = form.save()
        Invitation.objects.get(user=account).accept()
        del self.request.session["_password_reset_token"]
        login(self.request, account, BACKEND)
        return HttpResponseRedirect(str(self.success_url))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        title = _("Choose your password") if self.validlink else _("This link opens nothing any more")
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request), "title": title}

    def render_to_response(self, context: dict[str, Any], **options: Any) -> Any:
        return super().render_to_response(context, **options, status=200 if self.validlink else 404)
