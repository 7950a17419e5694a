// Not run by this project. Testcontainers for Java, with JUnit 5:
//
//     @Testcontainers
//     class FirmwareTest {
//         @Container
//         static final SkymockContainer skymock = new SkymockContainer("devices.json");
//
//         @Test
//         void itReports() throws Exception {
//             startFirmware(skymock.getHost(), skymock.port("mqtt"));
//             var answer = skymock.post("/api/v1/verify",
//                 "{\"event\": {\"type\": \"publish\"}, \"waitMs\": 5000}");
//             assertEquals(200, answer.statusCode(), answer.body()); // the body says what was near
//         }
//     }

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.MountableFile;

public class SkymockContainer extends GenericContainer<SkymockContainer> {
    // CoAP (5684/udp) is left out: Testcontainers map ports of TCP only.
    private static final Map<String, Integer> PORTS = Map.of(
        "mqtt", 1883, "mqtts", 8883, "enos-mqtt", 11883, "enos-mqtts", 18883,
        "https", 8443, "admin", 8080);

    private final HttpClient client = HttpClient.newHttpClient();

    public SkymockContainer(String fixtures) {
        super("skymock");
        withExposedPorts(PORTS.values().toArray(Integer[]::new));
        withCopyFileToContainer(MountableFile.forHostPath(fixtures, 0644),
            "/fixtures/devices.json");
        waitingFor(Wait.forHttp("/ready").forPort(PORTS.get("admin")));
    }

    /** Where a listener is to be found, as seen from the test. */
    public int port(String listener) {
        return getMappedPort(PORTS.get(listener));
    }

    public String url() {
        return "http://" + getHost() + ":" + port("admin");
    }

    public HttpResponse<String> post(String path, String json)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url() + path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json)).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }
}
