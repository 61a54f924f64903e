import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.eventtime.BoundedOutOfOrdernessWatermarks;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkOutputMultiplexer;
import org.apache.flink.api.common.eventtime.WatermarksWithIdleness;
import org.apache.flink.util.clock.ManualClock;

/**
 * Plays a transcript of probes: Flink's own generators, idleness and minimum over partitions, by a clock
 * that the transcript moves.
 *
 * <pre>
 * records.csv  5,1,0      event time, arrival, partition, in ms
 * answer.txt   NONE       the watermark that each record finds, and last the one after all of them
 *              4
 * </pre>
 *
 * What drives them is written here as a source reader does it: at every probe each partition emits, then
 * the minimum is taken; a record goes to the generator of its own partition.
 */
public final class Probes {
    static final class Newest implements WatermarkOutput {
        long reached = Long.MIN_VALUE;

        @Override
        public void emitWatermark(Watermark watermark) {
            reached = Math.max(reached, watermark.getTimestamp());
        }

        @Override
        public void markIdle() {}

        @Override
        public void markActive() {}
    }

    // Flink takes an instant of 0 for "not silent yet"; a real clock never reads 0.
    private final ManualClock clock = new ManualClock(1_000_000_000L);
    private final Newest newest = new Newest();
    private final WatermarkOutputMultiplexer merged = new WatermarkOutputMultiplexer(newest);
    private final List<WatermarkGenerator<Long>> generators = new ArrayList<>();
    private long now = 0;

    Probes(int partitions, long idleTimeout) {
        for (int partition = 0; partition < partitions; partition++) {
            WatermarkGenerator<Long> own = new BoundedOutOfOrdernessWatermarks<>(Duration.ZERO);
            Duration timeout = Duration.ofMillis(idleTimeout);
            generators.add(idleTimeout > 0 ? new WatermarksWithIdleness<>(own, timeout, clock) : own);
            merged.registerNewOutput(name(partition));
        }
    }

    static String name(int partition) {
        return "partition " + partition;
    }

    void probe(long at) {
        clock.advanceTime(Duration.ofMillis(at - now));
        now = at;
        for (int partition = 0; partition < generators.size(); partition++) {
            generators.get(partition).onPeriodicEmit(merged.getDeferredOutput(name(partition)));
        }
        merged.onPeriodicEmit();
    }

    String reached() {
        return newest.reached == Long.MIN_VALUE ? "NONE" : Long.toString(newest.reached);
    }

    List<String> play(List<String> records, long interval) {
        List<String> found = new ArrayList<>();
        long next = 0;
        for (String line : records) {
            String[] cells = line.split(",");
            long time = Long.parseLong(cells[0]);
            int partition = Integer.parseInt(cells[2]);
            for (; next <= Long.parseLong(cells[1]); next += interval) {
                probe(next);
            }
            found.add(reached());
            generators.get(partition).onEvent(time, time, merged.getImmediateOutput(name(partition)));
        }
        found.add(reached());
        return found;
    }

    /** Any number of: records.csv answer.txt INTERVAL IDLE_TIMEOUT PARTITIONS. */
    public static void main(String[] given) throws Exception {
        for (int at = 0; at < given.length; at += 5) {
            Probes probes = new Probes(Integer.parseInt(given[at + 4]), Long.parseLong(given[at + 3]));
            List<String> records = Files.readAllLines(Path.of(given[at]));
            Files.write(Path.of(given[at + 1]), probes.play(records, Long.parseLong(given[at + 2])));
        }
    }
}
