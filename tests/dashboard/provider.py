"""An OpenID Connect provider on this machine, as far as the authorization code flow needs one."""

import base64
import hashlib
import secrets
import threading
import time
from typing import Self
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server
from werkzeug.wrappers import Response as AnyResponse

CLIENT, SECRET = "culex", "of-tests-alone"


class Provider:
    """The provider, for the length of a `with` block.

    Attributes:
        issuer: Its address.
        claims: What it says of whoever logs in there.
        key: What it signs with; another one makes its answers false.
    """

    def __init__(self) -> None:
        self.claims: dict[str, object] = {"preferred_username": "ann"}
        self.key = RSAKey.generate_key(2048, parameters={"kid": "one"})
        self._published = self.key.as_dict(private=False)
        self._asked: dict[str, dict[str, str]] = {}
        self._server = make_server("127.0.0.1", 0, self._app(), threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _app(self) -> Flask:
        app = Flask("provider", root_path="/nonexistent")

        @app.get("/.well-known/openid-configuration")
        def configuration() -> Response:
            return jsonify(
                issuer=self.issuer,
                authorization_endpoint=f"{self.issuer}/authorize",
                token_endpoint=f"{self.issuer}/token",
                jwks_uri=f"{self.issuer}/jwks",
                id_token_signing_alg_values_supported=["RS256"],
            )

        @app.get("/jwks")
        def jwks() -> Response:
            return jsonify(keys=[self._published])

        @app.get("/authorize")
        def authorize() -> AnyResponse:
            code = secrets.token_urlsafe()
            self._asked[code] = request.args.to_dict()
            answer = urlencode({"code": code, "state": request.args["state"]})
            return redirect(f"{request.args['redirect_uri']}?{answer}")

        @app.post("/token")
        def token() -> Response | tuple[Response, int]:
            asked = self._asked.pop(request.form["code"], None)
            if asked is None or not self._is_client(asked):
                return jsonify(error="invalid_grant"), 400
            return jsonify(access_token="x", token_type="Bearer", id_token=self._token(asked))  # noqa: S106  # of a flow

        return app

    def _is_client(self, asked: dict[str, str]) -> bool:
        """Whether the one who asked first comes back: by its secret, and by what it kept."""
        digest = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        known = request.authorization
        return (
            known is not None
            and (known.username, known.password) == (CLIENT, SECRET)
            and challenge == asked["code_challenge"]
        )

    def _token(self, asked: dict[str, str]) -> str:
        now_s = int(time.time())
        claims = {
            "iss": self.issuer, "sub": "1", "aud": CLIENT, "iat": now_s, "exp": now_s + 60,
            "nonce": asked["nonce"],
        } | self.claims  # fmt: skip
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
