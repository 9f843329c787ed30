"""A small RTSP server: H.264 over RTP, interleaved in the TCP connection.

RFC 2326 (RTSP), RFC 3550 (RTP) and RFC 6184 (H.264 in RTP), as much of them
as a player asks for.
"""
import base64
import contextlib
import re
import socket
import struct
import threading
import time
from fractions import Fraction

import av

_PACKET = 1200


def _units(data):
    """NAL units of a stream in Annex B form."""
    return [x for x in re.split(b'\x00\x00\x00\x01|\x00\x00\x01', data) if x]


class RTSPServer:
    """Serves frames once to each who asks, then hangs up, or hangs.

    Args:
        frames (list[np.ndarray]): (H, W, 3), uint8, BGR.
        hang (bool): Whether the connection stays open behind the last frame,
            in silence. Defaults to False.
    """

    def __init__(self, frames, hang=False):
        context = av.CodecContext.create('libx264', 'w')
        context.height, context.width = frames[0].shape[:2]
        context.pix_fmt = 'yuv420p'
        context.time_base = Fraction(1, 25)
        context.framerate = 25
        context.options = dict(tune='zerolatency', preset='ultrafast')
        self.pictures = []
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format='bgr24')
            for packet in context.encode(picture.reformat(format='yuv420p')):
                self.pictures.append(_units(bytes(packet)))
        sets = [x for x in self.pictures[0] if x[0] & 31 in (7, 8)]
        self.parameters = ','.join(
            base64.b64encode(x).decode() for x in sets)
        self.hang, self.sessions = hang, 0
        self._over = threading.Event()
        self._socket = socket.create_server(('127.0.0.1', 0))
        self.address = (
            f'rtsp://127.0.0.1:{self._socket.getsockname()[1]}/stream')
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self):
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self._serve(connection)

    def _serve(self, connection):
        data = b''
        while True:
            while b'\r\n\r\n' not in data:
                more = connection.recv(4096)
                if not more:
                    return
                data += more
            request, _, data = data.partition(b'\r\n\r\n')
            request = request.decode()
            method = request.split()[0]
            number = re.search(r'CSeq: *(\d+)', request).group(1)
            head, body = '', ''
            if method == 'OPTIONS':
                head = 'Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n'
            elif method == 'DESCRIBE':
                body = ('v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\n'
                        'c=IN IP4 0.0.0.0\r\nt=0 0\r\n'
                        'm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n'
                        'a=fmtp:96 packetization-mode=1;sprop-parameter-sets='
                        f'{self.parameters}\r\na=control:track\r\n')
                head = ('Content-Type: application/sdp\r\n'
                        f'Content-Length: {len(body)}\r\n')
            elif method == 'SETUP':
                head = ('Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n'
                        'Session: 1\r\n')
            elif method == 'PLAY':
                head = 'Session: 1\r\n'
            connection.sendall((f'RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{head}'
                                f'\r\n{body}').encode())
            if method == 'TEARDOWN':
                return
            if method == 'PLAY':
                self.sessions += 1
                self._play(connection)
                if self.hang:
                    self._over.wait(60)
                return

    def _play(self, connection):
        sequence = 0
        for index, units in enumerate(self.pictures):
            for i, unit in enumerate(units):
                last_unit = i == len(units) - 1
                for payload, last in self._payloads(unit):
                    marker = 0x80 if last and last_unit else 0
                    packet = struct.pack(
                        '>BBHII', 0x80, marker | 96, sequence, 3600 * index,
                        1) + payload
                    sequence += 1
                    connection.sendall(
                        struct.pack('>cBH', b'$', 0, len(packet)) + packet)
            time.sleep(0.02)

    @staticmethod
    def _payloads(unit):
        """A NAL unit as it is, or in fragments (FU-A)."""
        if len(unit) <= _PACKET:
            yield unit, True
            return
        kind, rest = unit[0] & 31, unit[1:]
        for start in range(0, len(rest), _PACKET):
            last = start + _PACKET >= len(rest)
            flags = (0x80 if start == 0 else 0) | (0x40 if last else 0)
            yield (bytes([unit[0] & 0xe0 | 28, flags | kind])
                   + rest[start:start + _PACKET]), last
