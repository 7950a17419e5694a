"""DTLS 1.2 with a pre-shared key over a UDP socket of one's own, by OpenSSL's library through
ctypes: one datagram a message, and what is lost in a handshake is sent again as RFC 6347 §4.2.4
has it. Stream is the same for TLS, over whatever carries its bytes."""

import ctypes
import select
import socket
import time

CRYPTO = ctypes.CDLL("libcrypto.so.3")
SSL = ctypes.CDLL("libssl.so.3")

_PTR, _INT, _LONG, _BYTES = ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_char_p
_PSK = ctypes.CFUNCTYPE(ctypes.c_uint, _PTR, _BYTES, _PTR, ctypes.c_uint, _PTR, ctypes.c_uint)
for library, name, result, arguments in (
        (SSL, "DTLS_client_method", _PTR, []), (SSL, "SSL_CTX_new", _PTR, [_PTR]),
        (SSL, "TLS_client_method", _PTR, []),
        (CRYPTO, "BIO_s_mem", _PTR, []), (CRYPTO, "BIO_new", _PTR, [_PTR]),
        (CRYPTO, "BIO_read", _INT, [_PTR, _BYTES, _INT]),
        (CRYPTO, "BIO_write", _INT, [_PTR, _BYTES, _INT]),
        (SSL, "SSL_CTX_free", None, [_PTR]), (SSL, "SSL_CTX_set_cipher_list", _INT, [_PTR, _BYTES]),
        (SSL, "SSL_CTX_set_psk_client_callback", None, [_PTR, _PSK]),
        (SSL, "SSL_new", _PTR, [_PTR]), (SSL, "SSL_free", None, [_PTR]),
        (SSL, "SSL_set_bio", None, [_PTR, _PTR, _PTR]), (SSL, "SSL_connect", _INT, [_PTR]),
        (SSL, "SSL_get_error", _INT, [_PTR, _INT]), (SSL, "SSL_shutdown", _INT, [_PTR]),
        (SSL, "SSL_read", _INT, [_PTR, _BYTES, _INT]),
        (SSL, "SSL_write", _INT, [_PTR, _BYTES, _INT]),
        (SSL, "SSL_ctrl", _LONG, [_PTR, _INT, _LONG, _PTR]),
        (CRYPTO, "BIO_new_dgram", _PTR, [_INT, _INT]), (CRYPTO, "BIO_ADDR_new", _PTR, []),
        (CRYPTO, "BIO_ADDR_free", None, [_PTR]),
        (CRYPTO, "BIO_ADDR_rawmake", _INT,
         [_PTR, _INT, _BYTES, ctypes.c_size_t, ctypes.c_ushort]),
        (CRYPTO, "BIO_ctrl", _LONG, [_PTR, _INT, _LONG, _PTR]),
        (CRYPTO, "ERR_clear_error", None, [])):
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments

SET_CONNECTED, GET_TIMEOUT, HANDLE_TIMEOUT, SET_MAX_VERSION, TLS_1_2 = 32, 73, 74, 124, 0x0303
WANT_READ, WANT_WRITE = 2, 3
SUITES = b"PSK-AES128-CCM8:PSK-AES128-CBC-SHA256:@SECLEVEL=0"
SUITES_OF_TLS = b"PSK-AES128-CBC-SHA:@SECLEVEL=0"
MESSAGE_MAX = 16 * 1024


class Timeval(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("micros", ctypes.c_long)]


class Ended(Exception):
    """The session is over, and why."""


def udp(host, port, own_port=0):
    """A socket to that peer; from the same port of one's own as before, if it is said."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", own_port))
    sock.connect((socket.gethostbyname(host), port))
    sock.setblocking(False)
    return sock


class _Client:
    """One with a pre-shared key."""

    def __init__(self, method, suites, identity, key):
        self._psk = _PSK(self._give_key)
        self._identity, self._key = identity.encode(), key
        self._context = SSL.SSL_CTX_new(method)
        SSL.SSL_CTX_set_cipher_list(self._context, suites)
        SSL.SSL_CTX_set_psk_client_callback(self._context, self._psk)
        self._ssl = SSL.SSL_new(self._context)

    def _give_key(self, _ssl, _hint, identity, identity_max, key, key_max):
        if len(self._identity) >= identity_max or len(self._key) > key_max:
            return 0
        ctypes.memmove(identity, self._identity + b"\0", len(self._identity) + 1)
        ctypes.memmove(key, self._key, len(self._key))
        return len(self._key)

    def free(self):
        SSL.SSL_free(self._ssl)
        SSL.SSL_CTX_free(self._context)
        self._ssl = self._context = None


class Stream(_Client):
    """TLS 1.2 without a socket: what came is put in, what is to go is taken out."""

    def __init__(self, identity, key):
        super().__init__(SSL.TLS_client_method(), SUITES_OF_TLS, identity, key)
        SSL.SSL_ctrl(self._ssl, SET_MAX_VERSION, TLS_1_2, None)
        self._in, self._out = (CRYPTO.BIO_new(CRYPTO.BIO_s_mem()) for _ in range(2))
        SSL.SSL_set_bio(self._ssl, self._in, self._out)
        self._room = ctypes.create_string_buffer(MESSAGE_MAX)

    def put(self, data):
        if data:
            CRYPTO.BIO_write(self._in, data, len(data))

    def take(self):
        data = b""
        while (size := CRYPTO.BIO_read(self._out, self._room, MESSAGE_MAX)) > 0:
            data += self._room.raw[:size]
        return data

    def shake_hands(self):
        """Is it done?"""
        return self._check(SSL.SSL_connect(self._ssl), "the handshake failed") == 1

    def read(self):
        clear = b""
        while (size := self._check(SSL.SSL_read(self._ssl, self._room, MESSAGE_MAX), "ended")) > 0:
            clear += self._room.raw[:size]
        return clear

    def write(self, clear):
        self._check(SSL.SSL_write(self._ssl, clear, len(clear)), "nothing can be sent")

    def _check(self, result, what):
        if result <= 0:
            error = SSL.SSL_get_error(self._ssl, result)
            CRYPTO.ERR_clear_error()
            if error not in (WANT_READ, WANT_WRITE):
                raise Ended(what)
        return result


def _comes(sock, seconds):
    """Is there something to read within that time? By poll(), whatever number the socket has."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(max(0, seconds) * 1000))


class Session(_Client):
    """Over a connected socket, which stays the caller's. `resends`: what a handshake lost is sent
    again."""

    def __init__(self, sock, identity, key, patience, resends=True):
        super().__init__(SSL.DTLS_client_method(), SUITES, identity, key)
        self._socket = sock
        bio = CRYPTO.BIO_new_dgram(sock.fileno(), 0)
        host, port = sock.getpeername()
        address = CRYPTO.BIO_ADDR_new()
        CRYPTO.BIO_ADDR_rawmake(address, socket.AF_INET, socket.inet_aton(host), 4,
                                socket.htons(port))
        CRYPTO.BIO_ctrl(bio, SET_CONNECTED, 0, address)
        CRYPTO.BIO_ADDR_free(address)
        SSL.SSL_set_bio(self._ssl, bio, bio)
        try:
            self._shake_hands(patience, resends)
        except Ended:
            self.free()
            raise

    def _shake_hands(self, patience, resends):
        deadline = time.monotonic() + patience
        while (done := SSL.SSL_connect(self._ssl)) != 1:
            error = SSL.SSL_get_error(self._ssl, done)
            left = deadline - time.monotonic()
            if error not in (WANT_READ, WANT_WRITE) or left <= 0:
                CRYPTO.ERR_clear_error()
                raise Ended("the handshake failed" if left > 0 else "the handshake took too long")
            due = Timeval()
            if resends and SSL.SSL_ctrl(self._ssl, GET_TIMEOUT, 0, ctypes.byref(due)):
                left = min(left, due.seconds + due.micros / 1e6)
            if not _comes(self._socket, left) and resends:
                SSL.SSL_ctrl(self._ssl, HANDLE_TIMEOUT, 0, None)

    def send(self, message):
        if SSL.SSL_write(self._ssl, message, len(message)) <= 0:
            CRYPTO.ERR_clear_error()
            raise Ended("nothing can be sent")

    def receive(self, seconds):
        """The next message; None: none came in that time."""
        room = ctypes.create_string_buffer(MESSAGE_MAX)
        deadline = time.monotonic() + seconds
        while True:
            size = SSL.SSL_read(self._ssl, room, MESSAGE_MAX)
            if size > 0:
                return room.raw[:size]
            error = SSL.SSL_get_error(self._ssl, size)
            CRYPTO.ERR_clear_error()
            if error != WANT_READ:
                raise Ended("the cloud ended the session")
            left = deadline - time.monotonic()
            if left <= 0 or not _comes(self._socket, left):
                return None

    def close(self):
        """Says goodbye."""
        SSL.SSL_shutdown(self._ssl)
        CRYPTO.ERR_clear_error()
        self.free()
