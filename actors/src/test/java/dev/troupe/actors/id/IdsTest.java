package dev.troupe.actors.id;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** How ids are spelled: they are kept on disk, so a spelling never changes. */
class IdsTest {

  private static final String BASE62 =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

  @Test
  void spellsAKeyAsANumberOfBase62() {
    Random random = new Random(7L);
    for (int i = 0; i < 1_000; i++) {
      byte[] bytes = new byte[16 + random.nextInt(17)];
      random.nextBytes(bytes);

      assertThat(Ids.key(bytes)).hasSize(Ids.KEY_LENGTH);
      assertThat(number(Ids.key(bytes))).isEqualTo(new BigInteger(1, Arrays.copyOf(bytes, 16)));
    }
  }

  @Test
  void spellsTheLeastAndTheGreatestKey() {
    byte[] greatest = new byte[16];
    Arrays.fill(greatest, (byte) 0xff);

    assertThat(Ids.key(new byte[16])).isEqualTo("0000000000000000000000");
    assertThat(number(Ids.key(greatest)))
        .isEqualTo(BigInteger.TWO.pow(128).subtract(BigInteger.ONE));
  }

  @Test
  void takesNoCharacterThatIsNone() {
    assertThat(new AppId("ap-09AZaz").value()).isEqualTo("ap-09AZaz");
    for (String wrong :
        new String[] {"ap-", "ap-a/b", "ap-a:b", "ap-a@b", "ap-a[b", "ap-a`b", "ap-é"}) {
      assertThatThrownBy(() -> new AppId(wrong)).isInstanceOf(InvalidId.class);
    }
  }

  private static BigInteger number(String key) {
    BigInteger number = BigInteger.ZERO;
    for (int i = 0; i < key.length(); i++) {
      BigInteger digit = BigInteger.valueOf(BASE62.indexOf(key.charAt(i)));
      number = number.multiply(BigInteger.valueOf(62)).add(digit);
    }
    return number;
  }
}
