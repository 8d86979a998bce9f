import dev.openfeature.contrib.providers.flagd.FlagdProvider;
import dev.openfeature.sdk.ImmutableContext;
import dev.openfeature.sdk.OpenFeatureAPI;

class Share {
  public static void main(String[] args) throws Exception {
    var api = OpenFeatureAPI.getInstance();
    api.setProviderAndWait(new FlagdProvider());
    var flags = api.getClient();
    for (int before = -1; ; Thread.sleep(100)) {
      int on = 0;
      for (int i = 0; i < 100; i++)
        if (flags.getBooleanValue("new-scheduler", false, new ImmutableContext("i-" + i))) on++;
      if (on != before) System.out.println("new-scheduler is on for " + on + " of 100 instances");
      before = on;
    }
  }
}
