// A page that measures a camera, or what a connection to itself sends.
const { PublisherMonitor } = await import('/sdk/publisher.js');
const said = { records: [], reports: [], faults: [] };
addEventListener('error', (event) => said.faults.push(event.message));
addEventListener('unhandledrejection', (event) => said.faults.push(String(event.reason)));

const publisher = {
  said,
  monitor: null,
  async camera(constraints = { width: 640, height: 480, frameRate: 20 }) {
    publisher.stream = await navigator.mediaDevices.getUserMedia({ video: constraints });
    return publisher.stream.getVideoTracks()[0];
  },
  // Two ends in one page: the first sends the camera to the second.
  async connection() {
    const track = await publisher.camera();
    const near = new RTCPeerConnection();
    const far = new RTCPeerConnection();
    near.onicecandidate = ({ candidate }) => candidate && far.addIceCandidate(candidate);
    far.onicecandidate = ({ candidate }) => candidate && near.addIceCandidate(candidate);
    near.addTrack(track, publisher.stream);
    await near.setLocalDescription();
    await far.setRemoteDescription(near.localDescription);
    await far.setLocalDescription();
    await near.setRemoteDescription(far.localDescription);
    publisher.near = near;
    return near;
  },
  async measure(kind, config) {
    const source = await publisher[kind]();
    publisher.monitor = new PublisherMonitor(source, {
      ...config,
      onRecord: (record) => said.records.push(record),
      onReport: (text) => said.reports.push(text),
    });
  },
  // What the browser itself counts of the connection.
  async truth() {
    const found = {};
    (await publisher.near.getStats()).forEach((stat) => {
      if (stat.type === 'outbound-rtp' && stat.kind === 'video') Object.assign(found, stat);
    });
    return found;
  },
};
window.publisher = publisher;
